from importlib import import_module

Migration = import_module("desk.migrations.0001_initial").Migration
