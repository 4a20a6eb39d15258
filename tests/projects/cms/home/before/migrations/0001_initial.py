from importlib import import_module

Migration = import_module("home.migrations.0001_initial").Migration
