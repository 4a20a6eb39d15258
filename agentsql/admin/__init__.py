"""The page on the schema in Django's admin, where that is installed: what there is, what is pending, and a run.

`overview` looks and judges, `measures` asks what only the page wants to know, `progress` runs, `pages` shows.
"""

from agentsql.admin import pages  # noqa: F401 it registers the page
