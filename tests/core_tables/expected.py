"""What the core tables have to be, written down by hand from their specification: never from the models.

`!` is NOT NULL, `tz` is timestamptz, and what follows is the default in the database.
"""

UUID_KEY = "uuid! gen_random_uuid()"
TIME = "tz! now()"
OBJECT = "jsonb! '{}'::jsonb"
LIST = "jsonb! '[]'::jsonb"

# What every table has. The tables below say where theirs differ.
COMMON = {"id": UUID_KEY, "created_at": TIME, "updated_at": TIME, "metadata": OBJECT}

COLUMNS = {
    "agents": COMMON
    | {
        "enabled": "boolean! true",
        "server_id": "uuid",
        "name": "text!",
        "username": "text",
        "system": "text ''::text",
        "bio": "jsonb '[]'::jsonb",
        "message_examples": LIST,
        "post_examples": LIST,
        "topics": LIST,
        "adjectives": LIST,
        "knowledge": LIST,
        "plugins": LIST,
        "settings": OBJECT,
        "style": OBJECT,
    },
    "worlds": COMMON | {"agent_id": "uuid!", "name": "text!", "metadata": "jsonb", "message_server_id": "uuid"},
    "rooms": COMMON
    | {
        "agent_id": "uuid",
        "source": "text!",
        "type": "text!",
        "message_server_id": "uuid",
        "world_id": "uuid",
        "name": "text",
        "metadata": "jsonb",
        "channel_id": "text",
    },
    "entities": COMMON | {"agent_id": "uuid!", "names": "text[]! '{}'::text[]"},
    "components": COMMON
    | {
        "entity_id": "uuid!",
        "agent_id": "uuid!",
        "room_id": "uuid!",
        "world_id": "uuid",
        "source_entity_id": "uuid",
        "type": "text!",
        "data": "jsonb '{}'::jsonb",
    },
    "participants": COMMON
    | {
        "entity_id": "uuid",
        "room_id": "uuid",
        "agent_id": "uuid",
        "room_state": "text",
        "last_read_at": "tz",
    },
    "relationships": COMMON
    | {
        "source_entity_id": "uuid!",
        "target_entity_id": "uuid!",
        "agent_id": "uuid!",
        "tags": "text[]",
        "metadata": "jsonb",
    },
    "memories": COMMON
    | {
        "type": "text!",
        "content": "jsonb!",
        "entity_id": "uuid",
        "agent_id": "uuid!",
        "room_id": "uuid",
        "world_id": "uuid",
        "unique": "boolean! true",
        "expires_at": "tz",
    },
    "embeddings": COMMON
    | {
        "memory_id": "uuid",
        "agent_id": "uuid",
        "model": "text",
        "dim_384": "vector(384)",
        "dim_512": "vector(512)",
        "dim_768": "vector(768)",
        "dim_1024": "vector(1024)",
        "dim_1536": "vector(1536)",
        "dim_3072": "vector(3072)",
    },
    "messages": COMMON
    | {
        "room_id": "uuid!",
        "author_id": "uuid",
        "in_reply_to_id": "uuid",
        "content": "text!",
        "raw_message": "jsonb",
        "source_type": "text",
        "source_id": "text",
        "metadata": "jsonb",
    },
    "logs": COMMON | {"entity_id": "uuid!", "body": "jsonb!", "type": "text!", "room_id": "uuid!", "agent_id": "uuid"},
    "cache": {
        "key": "text!",
        "agent_id": "uuid!",
        "value": "jsonb!",
        "created_at": TIME,
        "updated_at": TIME,
        "expires_at": "tz",
        "metadata": OBJECT,
    },
    "tasks": COMMON
    | {
        "name": "text!",
        "description": "text",
        "room_id": "uuid",
        "world_id": "uuid",
        "entity_id": "uuid",
        "agent_id": "uuid!",
        "tags": "text[] '{}'::text[]",
        "metadata": "jsonb '{}'::jsonb",
        "created_at": "tz now()",
        "updated_at": "tz now()",
        "status": "text! 'pending'::text",
        "run_at": "tz",
        "locked_until": "tz",
        "attempts": "integer! 0",
        "max_attempts": "integer! 5",
        "last_error": "text",
        "every": "interval",
        "first_at": "tz",
        "lease": "uuid",
        "worker": "text",
        "started_at": "tz",
        "finished_at": "tz",
    },
}

# Those that are named. Every foreign key has one besides, which the tests check on their own.
INDEXES = {
    "agents": {"agents_name_idx": "btree (name)"},
    "worlds": {"worlds_created_idx": "btree (created_at)"},
    "rooms": {
        "rooms_world_idx": "btree (world_id)",
        "rooms_source_channel_idx": "btree (source, channel_id)",
        "rooms_created_idx": "btree (created_at)",
    },
    "entities": {"entities_names_gin": "gin (names)", "entities_created_idx": "btree (created_at)"},
    "components": {
        "components_entity_type_idx": "btree (entity_id, type)",
        "components_created_idx": "btree (created_at)",
    },
    "relationships": {
        "relationships_tags_gin": "gin (tags)",
        "relationships_created_idx": "btree (created_at)",
    },
    "memories": {
        "idx_memories_type_room": "btree (type, room_id)",
        "idx_memories_world_id": "btree (world_id)",
        "idx_memories_metadata_type": "btree (((metadata ->> 'type'::text)))",
        "idx_memories_document_id": "btree (((metadata ->> 'documentId'::text)))",
        "idx_fragments_order": ("btree (((metadata ->> 'documentId'::text)), ((metadata ->> 'position'::text)))"),
        "memories_created_idx": "btree (created_at)",
        "memories_agent_created_idx": "btree (agent_id, created_at)",
        "memories_room_created_idx": "btree (room_id, created_at)",
        "memories_expires_idx": "btree (expires_at) WHERE (expires_at IS NOT NULL)",
        "memories_text_gin": "gin (to_tsvector('simple'::regconfig, (content ->> 'text'::text)))",
    },
    "embeddings": {
        "embeddings_dim_384_hnsw": "hnsw (dim_384 vector_cosine_ops)",
        "embeddings_dim_512_hnsw": "hnsw (dim_512 vector_cosine_ops)",
        "embeddings_dim_768_hnsw": "hnsw (dim_768 vector_cosine_ops)",
        "embeddings_dim_1024_hnsw": "hnsw (dim_1024 vector_cosine_ops)",
        "embeddings_dim_1536_hnsw": "hnsw (dim_1536 vector_cosine_ops)",
        "embeddings_dim_3072_hnsw": "hnsw (((dim_3072)::halfvec(3072)) halfvec_cosine_ops)",
    },
    "messages": {
        "messages_room_created_idx": "btree (room_id, created_at)",
        "messages_source_uniq": ("unique btree (room_id, source_type, source_id) WHERE (source_id IS NOT NULL)"),
    },
    "logs": {
        "logs_type_created_idx": "btree (type, created_at)",
        "logs_room_created_idx": "btree (room_id, created_at)",
        "logs_created_idx": "btree (created_at)",
        "logs_run_idx": "btree (((body ->> 'runId'::text))) WHERE (body ? 'runId'::text)",
        "logs_created_brin": "brin (created_at)",
    },
    "cache": {"cache_expires_idx": "btree (expires_at)"},
    "tasks": {
        "tasks_agent_name_idx": "btree (agent_id, name)",
        "tasks_room_idx": "btree (room_id)",
        "tasks_due_idx": "btree (run_at) WHERE ((run_at IS NOT NULL) AND (status = 'pending'::text))",
        "tasks_lock_idx": "btree (locked_until) WHERE (status = 'running'::text)",
        "tasks_ended_idx": (
            "btree (status, finished_at) WHERE (status = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text]))"
        ),
        "tasks_foreign_idx": "btree (created_at) WHERE (run_at IS NULL)",
        "tasks_tags_gin": "gin (tags)",
    },
}

PRIMARY_KEYS = {table: {"PRIMARY KEY (id)"} for table in COLUMNS} | {"cache": {"PRIMARY KEY (key, agent_id)"}}

UNIQUE = {
    "entities": {"UNIQUE (id, agent_id)"},
    "participants": {"UNIQUE (entity_id, room_id)"},
    "relationships": {"UNIQUE (source_entity_id, target_entity_id, agent_id)"},
    "embeddings": {"UNIQUE (memory_id)"},
}

# {table: {column: (table that it points to, what becomes of the row)}}
FOREIGN_KEYS = {
    "worlds": {"agent_id": ("agents", "CASCADE")},
    "rooms": {"agent_id": ("agents", "CASCADE")},
    "entities": {"agent_id": ("agents", "CASCADE")},
    "components": {
        "entity_id": ("entities", "CASCADE"),
        "agent_id": ("agents", "CASCADE"),
        "room_id": ("rooms", "CASCADE"),
        "world_id": ("worlds", "CASCADE"),
        "source_entity_id": ("entities", "CASCADE"),
    },
    "participants": {
        "entity_id": ("entities", "CASCADE"),
        "room_id": ("rooms", "CASCADE"),
        "agent_id": ("agents", "CASCADE"),
    },
    "relationships": {
        "source_entity_id": ("entities", "CASCADE"),
        "target_entity_id": ("entities", "CASCADE"),
        "agent_id": ("agents", "CASCADE"),
    },
    "memories": {
        "entity_id": ("entities", "CASCADE"),
        "agent_id": ("agents", "CASCADE"),
        "room_id": ("rooms", "CASCADE"),
    },
    "embeddings": {"memory_id": ("memories", "CASCADE"), "agent_id": ("agents", "CASCADE")},
    "messages": {
        "room_id": ("rooms", "CASCADE"),
        "author_id": ("entities", "SET NULL"),
        "in_reply_to_id": ("messages", "SET NULL"),
    },
    "logs": {
        "entity_id": ("entities", "CASCADE"),
        "room_id": ("rooms", "CASCADE"),
        "agent_id": ("agents", "CASCADE"),
    },
    "cache": {"agent_id": ("agents", "CASCADE")},
    "tasks": {"agent_id": ("agents", "CASCADE")},
}
