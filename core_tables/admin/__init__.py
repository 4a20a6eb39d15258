"""The admin of the core tables: a package a subject, registered with Django's own site.

Every page keeps to a constant number of queries that read a bounded number of rows, whatever the tables have; none
loads a vector or counts a whole table. `base` says how lists do that; `shown` renders what agents wrote, escaped.
"""

# ruff: noqa: F401 - to import them is to register them

import core_tables.admin.agents.admin
import core_tables.admin.cache.admin
import core_tables.admin.entities.admin
import core_tables.admin.entities.relationships
import core_tables.admin.logs.admin
import core_tables.admin.memories.admin
import core_tables.admin.rooms.admin
import core_tables.admin.rooms.messages
import core_tables.admin.tasks.admin
