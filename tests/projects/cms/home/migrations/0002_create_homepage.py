from django.db import migrations


def create_homepage(apps, schema_editor):
    content_types = apps.get_model("contenttypes.ContentType").objects
    pages = apps.get_model("wagtailcore.Page").objects
    page_type = content_types.get(model="page", app_label="wagtailcore")
    pages.filter(content_type=page_type, slug="home", depth=2).delete()
    home_type, _ = content_types.get_or_create(model="homepage", app_label="home")
    page = apps.get_model("home.HomePage").objects.create(
        title="Home",
        draft_title="Home",
        slug="home",
        content_type=home_type,
        path="00010001",
        depth=2,
        numchild=0,
        url_path="/home/",
    )
    apps.get_model("wagtailcore.Site").objects.create(hostname="localhost", root_page=page, is_default_site=True)


class Migration(migrations.Migration):
    run_before = [("wagtailcore", "0053_locale_model")]
    dependencies = [("home", "0001_initial")]
    operations = [migrations.RunPython(create_homepage, migrations.RunPython.noop)]
