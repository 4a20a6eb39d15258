"""A database of Django's own `migrate`, whose history has left other names than models would give today."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from tests.arena import LABEL, Registry


class History(migrations.Migration):
    """Models and fields were renamed: what hangs on them kept the names of then."""

    operations = [
        migrations.CreateModel(
            "Writer",
            [
                ("id", models.AutoField(primary_key=True)),
                ("email", models.EmailField(unique=True)),
                ("nick", models.CharField(max_length=40, db_index=True)),
            ],
        ),
        migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
        migrations.CreateModel(
            "Post",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("writer", models.ForeignKey(f"{LABEL}.Writer", models.CASCADE)),
                ("link", models.SlugField()),
                ("words", models.PositiveIntegerField()),
                ("labels", models.ManyToManyField(f"{LABEL}.Tag")),
            ],
            options={"unique_together": {("writer", "link")}},
        ),
        migrations.AddIndex("Post", models.Index(fields=["words"], name="post_words_of_then")),
        migrations.RenameModel("Writer", "Author"),
        migrations.RenameField("Post", "writer", "author"),
        migrations.RenameField("Post", "link", "slug"),
        migrations.RenameField("Post", "labels", "tags"),
    ]


@pytest.fixture
def migrated(house):
    with connection.schema_editor() as editor:
        state = History("0001_initial", LABEL).apply(ProjectState(), editor)
    house.now = state.apps
    author = house.now.get_model(LABEL, "Author").objects.create(email="анна@example.com", nick="ann")
    tag = house.now.get_model(LABEL, "Tag").objects.create(name="🚀")
    write(house.now.get_model(LABEL, "Post"), author, tag, slug="first")
    return house


def write(post, author, tag, **facts):
    made = post.objects.create(author_id=author.pk, words=7, **facts)
    made.tags.add(tag.pk)
    return made


def todays():
    registry = Registry()
    author = registry.model(
        "Author",
        id=models.AutoField(primary_key=True),
        email=models.EmailField(unique=True),
        nick=models.CharField(max_length=40, db_index=True),
    )
    tag = registry.model("Tag", id=models.BigAutoField(primary_key=True), name=models.TextField())
    post = registry.model(
        "Post",
        id=models.BigAutoField(primary_key=True),
        author=models.ForeignKey(author, models.CASCADE),
        slug=models.SlugField(),
        words=models.PositiveIntegerField(),
        summary=models.TextField(default=""),
        tags=models.ManyToManyField(tag),
        meta={
            "constraints": [models.UniqueConstraint(fields=["author", "slug"], name="post_once")],
            "indexes": [models.Index(fields=["words"], name="post_words_of_today")],
        },
    )
    return registry.plugin(connection), author, tag, post


def test_everything_is_recognised_under_its_old_name(migrated):
    before = migrated.portrait()

    report = migrated.converge(todays()[0])

    assert migrated.lost(before) == []
    assert [outcome.step.name for outcome in report.outcomes] == ["summary"]
    assert (report.exit_code(check=False, planned=False), report.remaining) == (0, 0)
    assert migrated.converge(todays()[0]).outcomes == ()


def test_nothing_differs(migrated):
    plugin = todays()[0]
    migrated.converge(plugin)

    assert [one for one in migrated.converge(plugin, plan_only=True).findings if one.level >= 30] == []


def test_the_old_code_and_the_new_write_side_by_side(migrated):
    plugin, author, tag, post = todays()
    migrated.converge(plugin)

    old = write(migrated.now.get_model(LABEL, "Post"), author.objects.get(), tag.objects.get(), slug="old")
    new = write(post, author.objects.get(), tag.objects.get(), slug="new", summary="s")

    assert list(post.objects.order_by("pk").values_list("summary", flat=True)) == ["", "", "s"]
    migrated.now.get_model(LABEL, "Post").objects.filter(pk=new.pk).update(words=8)
    old.tags.clear()
    old.delete()
    assert list(post.objects.filter(words=8).values_list("slug", "summary")) == [("new", "s")]
    assert migrated.rows("SELECT count(*) FROM plug_post_tags") == [(2,)]
