from importlib import import_module

Migration = import_module("home.migrations.0002_create_homepage").Migration
