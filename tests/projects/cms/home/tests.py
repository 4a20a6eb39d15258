import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import TestCase, TransactionTestCase
from notes.models import Note
from wagtail.models import Locale, Page, ReferenceIndex, Site

from home.models import HomePage


def site_with_a_note():
    """Make a site, also where no migration has brought a root page."""
    Locale.objects.get_or_create(language_code="en")
    root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
    page = root.add_child(instance=HomePage(title="Welcome", slug="welcome"))
    Site.objects.update_or_create(is_default_site=True, defaults={"hostname": "localhost", "root_page": page})
    author = get_user_model().objects.create_superuser("ada")
    page.pinned = Note.objects.create(page=page, author=author, text="Mind the gap")
    page.save_revision().publish()
    return HomePage.objects.get(pk=page.pk)


@transaction.atomic
def note_on_no_page(author):
    Note.objects.create(page_id=0, author=author, text="lost")
    transaction.get_connection().check_constraints()


class Notes(TestCase):
    def setUp(self):
        self.page = site_with_a_note()

    def test_a_page_shows_the_notes_on_it(self):
        answer = self.client.get("/")
        self.assertContains(answer, "<blockquote>Mind the gap</blockquote>")
        self.assertContains(answer, "<li>ada: Mind the gap (/)</li>", html=True)

    def test_the_editors_find_them_among_the_snippets(self):
        self.client.force_login(self.page.pinned.author)
        self.assertContains(self.client.get("/admin/snippets/notes/note/"), "Mind the gap")
        assert Permission.objects.filter(content_type__app_label="notes").count() == 4

    def test_wagtail_knows_who_refers_to_whom(self):
        assert ReferenceIndex.get_references_to(self.page.pinned).count() == 1
        assert "notes" in {usage[0]._meta.app_label for usage in ReferenceIndex.get_grouped_references_to(self.page)}

    def test_a_page_takes_its_notes_along(self):
        self.page.delete()
        assert not Note.objects.exists()

    def test_the_key_is_the_servers_too(self):
        with pytest.raises(IntegrityError):
            note_on_no_page(self.page.pinned.author)


class NotesThatCommit(TransactionTestCase):
    def test_flushing_leaves_a_site_that_works(self):
        self.assertContains(self.client.get(site_with_a_note().url), "Mind the gap")

    test_and_once_more = test_flushing_leaves_a_site_that_works
