"""A plugin to copy: an ordinary Django app whose tables appear when `manage.py automigrate` runs."""
