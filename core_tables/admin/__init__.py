"""The admin of the core tables: a module a subject, registered with Django's own site.

Every page keeps to a constant number of queries that read a bounded number of rows, whatever the tables have; none
loads a vector or counts a whole table. `base` says how lists do that; `shown` renders what agents wrote, escaped.
"""

from core_tables.admin import agents, cache, entities, logs, memories, messages, places, relationships, tasks  # noqa: F401
