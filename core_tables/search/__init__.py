"""Finding memories: by meaning (`nearest`), by words (`matching`), or by both at once (`fusion`).

    scope -> estimate -> route -> one statement -> memories

`Memory.objects` is the door (`core_tables.querysets.memory_search`); what is in here takes a Scope and a connection.
The SQL is written by hand, with `m` for memories and `e` for embeddings: a search has to say exactly the expression
that an index is on, or exactly not. The filters of a queryset go into it as a subquery that Django writes.
"""
