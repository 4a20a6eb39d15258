"""Rows by the hundred thousand, in one statement each: pages are held against them."""

from django.db import connection

MEMORIES = """
INSERT INTO memories (type, content, agent_id, room_id, entity_id, created_at)
SELECT CASE WHEN n %% 7 = 0 THEN 'facts' ELSE 'messages' END,
       jsonb_build_object('text', 'note ' || n || ' on engine ' || n %% 100),
       %s, %s, %s, now() - n * interval '1 second'
  FROM generate_series(1, %s) AS n
RETURNING id
"""
# One number differs, so that the vectors lie on an arc; 384 wide.
EMBEDDINGS = """
INSERT INTO embeddings (memory_id, agent_id, model, dim_384)
SELECT id, agent_id, 'arc', ('[1,' || random() || repeat(',0', 382) || ']')::vector FROM memories LIMIT %s
"""


def memories(agent, room, entity, count):
    with connection.cursor() as cursor:
        cursor.execute(f"WITH new AS ({MEMORIES}) SELECT count(*) FROM new", [agent.pk, room.pk, entity.pk, count])


def embeddings(count):
    """Give the only vectors that there are: what other tests rolled back is in the way of a walk along the index."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE embeddings")
        cursor.execute(EMBEDDINGS, [count])


def analyzed():
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE memories, embeddings, rooms, entities, agents")
