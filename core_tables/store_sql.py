"""The statements of an agent's own keys and values: each a CTE `done` with a key and a value, within STATEMENT."""

from core_tables.pickled import WRAPPER

# A row without a key says that there is an agent, whatever was done.
STATEMENT = "WITH {} SELECT key, value FROM done UNION ALL SELECT NULL, NULL FROM agents WHERE id = %(agent)s"
LIVE = "(c.expires_at IS NULL OR c.expires_at > statement_timestamp())"
# All that lock several rows do it in this order, so that they wait for each other and never in a circle.
ORDER = 'octet_length({0}.key), {0}.key COLLATE "C"'

READ = f"""done AS (
SELECT c.key, c.value FROM cache c WHERE c.agent_id = %(agent)s AND c.key = ANY(%(keys)s::text[]) AND {LIVE}
)"""
# Whether there is a value, and the value itself where it is a pickle: one that nobody here signed counts as none.
PICKLE = f"CASE WHEN c.value ? '{WRAPPER}' THEN c.value END AS value"
FIND = READ.replace("c.value", PICKLE, 1)

# Every database that has the table has this primary key, those that other tools made too. `value` tells what is new.
PUT = f"""done AS (
INSERT INTO cache AS c (key, agent_id, value, expires_at, created_at, updated_at, metadata)
SELECT given.key, agent.id, given.value, statement_timestamp() + %(timeout)s::interval,
       statement_timestamp(), statement_timestamp(), %(metadata)s::jsonb
  FROM agents agent, jsonb_each(%(data)s::jsonb) AS given
 WHERE agent.id = %(agent)s
 ORDER BY {ORDER.format("given")}
    ON CONFLICT (key, agent_id) DO UPDATE
   SET value = excluded.value, expires_at = excluded.expires_at, updated_at = excluded.updated_at,
       metadata = c.metadata || excluded.metadata {{}}
RETURNING c.key, to_jsonb(c.created_at = c.updated_at) AS value
)"""
SET = PUT.format("")
ADD = PUT.format(f"WHERE NOT {LIVE}")
# A list has what is there instead, if that is a pickle.
ADD_OR_TELL = (
    ADD.replace("done", "added", 1)
    + f""", done AS (
SELECT key, value FROM added
 UNION ALL
SELECT c.key, jsonb_build_array(c.value) FROM cache c, jsonb_object_keys(%(data)s::jsonb) AS given
 WHERE c.agent_id = %(agent)s AND c.key = given AND {LIVE} AND c.value ? '{WRAPPER}' AND NOT EXISTS (SELECT FROM added)
)"""
)

ADD_TO_NUMBER = f"""done AS (
UPDATE cache c SET value = to_jsonb(c.value::numeric + %(delta)s::numeric), updated_at = statement_timestamp()
 WHERE c.agent_id = %(agent)s AND c.key = %(key)s AND {LIVE} AND jsonb_typeof(c.value) = 'number'
RETURNING c.key, c.value
)"""
TOUCH = f"""done AS (
UPDATE cache c SET expires_at = statement_timestamp() + %(timeout)s::interval, updated_at = statement_timestamp()
 WHERE c.agent_id = %(agent)s AND c.key = %(key)s AND {LIVE}
RETURNING c.key, {PICKLE}
)"""
DELETE = f"""doomed AS (
SELECT c.key FROM cache c WHERE c.agent_id = %(agent)s AND {{}} ORDER BY {ORDER.format("c")} FOR UPDATE
), gone AS (
DELETE FROM cache c USING doomed WHERE c.agent_id = %(agent)s AND c.key = doomed.key RETURNING {LIVE} AS live
), done AS (
SELECT 'live' AS key, to_jsonb(count(*) FILTER (WHERE live)) AS value FROM gone
)"""
DELETE_KEYS = DELETE.format("c.key = ANY(%(keys)s::text[])")
DELETE_ALL = DELETE.format("c.metadata @> %(metadata)s::jsonb")
