"""The memory store beside psycopg alone, beside other stores on PostgreSQL, and as it grows.

    python -m benchmarks.memory                        # 10,000 and 50,000 memories
    python -m benchmarks.memory 2000 --queries 50
    python -m benchmarks.memory --bound                # exit 1 when a promise is broken
    python -m benchmarks.memory --growth docs/images/memory-growth.svg    # 10,000, 100,000 and 1,000,000

Needs numpy, and whichever of the others are to be compared: langgraph-checkpoint-postgres, mem0ai, agno with
sqlalchemy, langchain-postgres (which wants an old pgvector, but works with ours: install that after it). The vectors
are 384 wide, in 200 topics (`corpus`). All stores are on one server, each in a database of its own with its vector
index in place. They do the same work by turns, in an order that chance gives (`race`), and are analyzed once they are
full. A time is that of one call, in one thread, all that the client does included.

Beside psycopg alone, on the same tables (`plain`), ours may take

    search    1.15 times as long at the median, in each scope
    bulk_add  1.5 times as long as COPY in its binary form

and finds at least 0.99 of the 10 truly nearest, in each scope. "psycopg" sends all the statements that a search is made
of: EXPLAIN, settings, SELECT. "prepared" is the same as psycopg does it when left alone, with parameters bound and
statements prepared by the server. "SELECT only" leaves out the EXPLAIN, as ours does while it remembers the answer.
"""
