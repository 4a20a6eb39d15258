"""A project with three tables in use, for `manage.py automigrate` as a real process."""

import os
import signal
import subprocess
import sys

import pytest

APP = {
    "shop_settings.py": 'from settings import *\nINSTALLED_APPS = ["agentsql", "shop"]\n',
    "shop/__init__.py": "",
    "shop/apps.py": """
from django.apps import AppConfig
class Shop(AppConfig):
    name = "shop"
    automigrate = True
""",
    "shop/models.py": """
import uuid
from django.db import models
class Customer(models.Model):
    note = models.TextField(null=True)
class Product(models.Model):
    name = models.TextField()
    class Meta:
        indexes = [models.Index(fields=["name"], name="product_name")]
class Order(models.Model):
    number = models.IntegerField()
    token = models.UUIDField(default=uuid.uuid4)
    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(number__gt=0), name="order_number")]
""",
}
BEFORE = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE shop_customer (id bigserial PRIMARY KEY);
CREATE TABLE shop_product (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE shop_order (id bigserial PRIMARY KEY, number int NOT NULL CHECK (number > 0));
INSERT INTO shop_customer SELECT FROM generate_series(1, 1000);
INSERT INTO shop_product (name) SELECT 'product ' || g FROM generate_series(1, 1000) g;
INSERT INTO shop_order (number) SELECT g FROM generate_series(1, 1000) g;
"""
DATA = """
SELECT (SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM shop_customer),
       (SELECT md5(string_agg(id || name, ',' ORDER BY id)) FROM shop_product),
       (SELECT md5(string_agg(id || '-' || number, ',' ORDER BY id)) FROM shop_order)
"""
SLOW_UPDATES = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN new; END $$;
CREATE TRIGGER slow BEFORE UPDATE ON shop_order FOR EACH ROW EXECUTE FUNCTION slow();
"""


@pytest.fixture
def shop(ground, tmp_path):
    """Return a function that starts `manage.py automigrate` in a project with three tables in use."""
    for name, text in APP.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    ground.session.execute(BEFORE)
    environ = ground.environ | {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": tmp_path}
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, ground.root / "manage.py", "automigrate"],
            env=os.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process that ignores it hands that on
    yield start
    signal.signal(signal.SIGINT, handler)
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def other(ground):
    """Another client of the same database, with a transaction open."""
    with ground.connect() as other:
        yield other
