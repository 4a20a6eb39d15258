from django.db import migrations


def found(apps, schema_editor):
    apps.get_model("accounts", "Team").objects.get_or_create(name="Support")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(found, migrations.RunPython.noop, elidable=True)]
