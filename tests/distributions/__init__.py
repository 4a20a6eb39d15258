"""Installed distributions, as a directory for sys.path: packages, and beside each what an installer writes."""

from textwrap import dedent


def install(place, distribution, entry_points, files=()):
    """Write a distribution "name 1.0" with entry points of agentsql.plugins, a mapping or the text of the file."""
    metadata = place / f"{distribution.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    if not isinstance(entry_points, str):
        lines = (f"{name} = {value}\n" for name, value in entry_points.items())
        entry_points = "[agentsql.plugins]\n" + "".join(lines)
    (metadata / "entry_points.txt").write_text(entry_points)
    for name, text in dict(files).items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))


def app(name, models="", *, ready=""):
    """Return the files of a plugin app."""
    config = f"""
from django.apps import AppConfig

class Config(AppConfig):
    name = "{name}"
    automigrate = True
"""
    if ready:
        config += f"\n    def ready(self):\n        {ready}\n"
    return {f"{name}/__init__.py": "", f"{name}/apps.py": config, f"{name}/models.py": models}
