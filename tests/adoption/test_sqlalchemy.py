"""A database of SQLAlchemy's create_all, taken over by models of the same tables."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection, models
from django.db.models.functions import Now

from tests.arena import Registry

# As SQLAlchemy sends them, with its parameters filled in.
INSERTS = """
INSERT INTO authors (email, name) VALUES ('{0}@example.com', 'N') RETURNING authors.id, authors.created_at;
INSERT INTO articles (author_id, slug, title, body, price, extra, published_at)
SELECT id, '{0}', 'T', NULL, 1.50, '{{"a": 1}}'::JSON, NULL FROM authors WHERE email = '{0}@example.com';
INSERT INTO tags (name) VALUES ('{0}');
INSERT INTO article_tags (article_id, tag_id)
SELECT articles.id, tags.id FROM articles, tags WHERE articles.slug = '{0}' AND tags.name = '{0}';
UPDATE articles SET state = 'published', words = 10, published_at = '2025-07-01 00:00:00' WHERE articles.slug = '{0}';
DELETE FROM article_tags USING tags WHERE tags.id = article_tags.tag_id AND tags.name = '{0}';
DELETE FROM articles WHERE articles.slug = '{0}';
"""
ALTER = re.compile(r"ALTER TABLE [^;]+;")


@pytest.fixture
def newsroom(house):
    house.load("sqlalchemy.sql")
    return house


class Newsroom:
    """The same tables as Django models, with more than SQLAlchemy made."""

    def __init__(self):
        registry = Registry()
        self.author = registry.model(
            "Author",
            id=models.AutoField(primary_key=True),
            email=models.CharField(max_length=255, unique=True),
            name=models.CharField(max_length=255, db_index=True),
            active=models.BooleanField(db_default=True),
            created_at=models.DateTimeField(db_default=Now()),
            motto=models.TextField(default="…"),
            meta={"db_table": "authors"},
        )
        self.tag = registry.model(
            "Tag",
            id=models.AutoField(primary_key=True),
            name=models.CharField(max_length=64, unique=True),
            meta={"db_table": "tags"},
        )
        self.article = registry.model(
            "Article",
            id=models.BigAutoField(primary_key=True),
            author=models.ForeignKey(self.author, models.CASCADE),
            slug=models.CharField(max_length=255),
            title=models.CharField(max_length=255),
            body=models.TextField(null=True),
            words=models.PositiveIntegerField(db_default=0),
            price=models.DecimalField(max_digits=10, decimal_places=2, null=True),
            state=models.CharField(max_length=9, db_default="draft"),
            extra=models.JSONField(null=True),
            published_at=models.DateTimeField(null=True),
            rating=models.SmallIntegerField(default=3),
            tags=models.ManyToManyField(self.tag, db_table="article_tags"),
            meta={
                "db_table": "articles",
                "constraints": [
                    models.UniqueConstraint(fields=["author", "slug"], name="article_once"),
                    models.CheckConstraint(condition=models.Q(rating__lte=5), name="article_rating"),
                ],
                "indexes": [
                    models.Index(
                        fields=["published_at"],
                        condition=models.Q(published_at__isnull=False),
                        name="ix_articles_published",
                    )
                ],
            },
        )
        self.plugin = registry.plugin(connection)

    def write(self):
        author = self.author.objects.create(email="we@example.com", name="We")
        article = self.article.objects.create(
            author=author,
            slug="s",
            title="t",
            extra={"k": [None]},
            published_at=datetime(2025, 7, 1, tzinfo=UTC),
            state="published",
        )
        article.tags.add(self.tag.objects.create(name="ours"))
        self.article.objects.filter(slug="s", state="published").update(words=5)
        assert self.article.objects.values_list("words", "tags__name").get(author=author) == (5, "ours")
        article.tags.clear()
        article.delete()
        author.delete()


def test_it_is_taken_over(newsroom):
    before = newsroom.portrait()

    report = newsroom.converge(Newsroom().plugin)

    assert newsroom.lost(before) == []
    made = {(outcome.step.key.table.name, outcome.step.name) for outcome in report.outcomes}
    likes = {pair for pair in made if pair[1].endswith("_like")}
    assert {table for table, _ in likes} == {"authors", "tags"}
    (unique,) = [pair for pair in made if pair[1].endswith("_uniq")]
    assert unique[0] == "article_tags"
    indexes = {pair for pair in made if pair[0] == "article_tags"} - {unique}
    assert len(indexes) == 2
    assert made - likes - indexes - {unique} == {
        ("authors", "motto"),
        ("articles", "rating"),
        ("articles", "article_rating"),
    }
    assert [finding.obj for finding in report.findings if finding.is_serious()] == [
        "articles.extra"
    ]  # reading it fails
    assert (report.exit_code(check=False, planned=False), report.remaining) == (1, 0)
    assert newsroom.converge(Newsroom().plugin).outcomes == ()


def test_what_differs_is_told_and_left(newsroom):
    newsroom.converge(Newsroom().plugin)

    report = newsroom.converge(Newsroom().plugin, plan_only=True)

    types = {finding.obj for finding in report.findings if finding.id == "agentsql.D101"}
    assert types == {"articles.state", "articles.extra", "articles.published_at", "article_tags.id"}


def test_both_programs_work_before_and_after(newsroom):
    newsroom.sql(INSERTS.format("before"))

    newsroom.converge(Newsroom().plugin)

    newsroom.sql(INSERTS.format("after"))
    Newsroom().write()


def test_a_type_that_breaks_our_code_is_mended_by_the_hint(newsroom):
    """SQLAlchemy's JSON is not the jsonb that Django reads."""
    ours = Newsroom()
    newsroom.converge(ours.plugin)
    with pytest.raises(TypeError, match="JSON object"):
        ours.article.objects.get(slug="")

    findings = newsroom.converge(ours.plugin, plan_only=True).findings
    (finding,) = [finding for finding in findings if finding.obj == "articles.extra"]
    newsroom.sql(ALTER.search(finding.hint)[0])

    assert ours.article.objects.get(slug="").extra == {"a": [None], "b": 1}
    newsroom.sql(INSERTS.format("after"))


def test_rows_get_the_defaults_of_new_columns(newsroom):
    newsroom.converge(Newsroom().plugin)

    assert newsroom.rows("SELECT DISTINCT motto FROM authors") == [("…",)]
    assert newsroom.rows("SELECT DISTINCT rating FROM articles") == [(3,)]


def test_a_column_that_no_model_fills(newsroom):
    """Our INSERTs fail until an operator decides; it is told in the plan, and no run touches it."""
    newsroom.sql("ALTER TABLE tags ADD code varchar NOT NULL DEFAULT 'x'", "ALTER TABLE tags ALTER code DROP DEFAULT")
    before = newsroom.portrait()

    report = newsroom.converge(Newsroom().plugin, plan_only=True)

    told = [finding for finding in report.findings if finding.is_serious() and "tags.code" in finding.obj]
    assert len(told) == 1
    newsroom.converge(Newsroom().plugin)
    assert newsroom.lost(before) == []
