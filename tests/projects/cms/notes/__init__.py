"""Notes that people and agents leave on pages: a plugin."""
