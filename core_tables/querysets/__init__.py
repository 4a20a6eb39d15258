"""What programs do with the core tables, a module a subject: each model's `objects` is one of these querysets.

All of them chain like any queryset, work on related managers (`room.messages.transcript()`), follow `using()` and
routers, and have asynchronous twins with an `a` in front of their names.
"""
