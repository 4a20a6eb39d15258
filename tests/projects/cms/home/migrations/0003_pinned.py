import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("home", "0002_create_homepage"),
        ("notes", "__first__"),
    ]

    operations = [
        migrations.AddField(
            model_name="homepage",
            name="pinned",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="notes.note"
            ),
        ),
    ]
