-- A database of an elizaOS 1.7 runtime: tables, constraints and indexes named as drizzle names them, and rows that
-- months of use leave behind.

CREATE EXTENSION IF NOT EXISTS vector;

CREATE SCHEMA migrations;

CREATE TABLE "migrations"."_migrations" (
  "id" serial PRIMARY KEY NOT NULL,
  "plugin_name" text NOT NULL,
  "hash" text NOT NULL,
  "created_at" bigint
);

CREATE TABLE "agents" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "enabled" boolean DEFAULT true NOT NULL,
  "server_id" uuid,
  "created_at" timestamp with time zone DEFAULT now() NOT NULL,
  "updated_at" timestamp with time zone DEFAULT now() NOT NULL,
  "name" text NOT NULL,
  "username" text,
  "system" text DEFAULT '',
  "bio" jsonb DEFAULT '[]'::jsonb,
  "message_examples" jsonb DEFAULT '[]'::jsonb NOT NULL,
  "post_examples" jsonb DEFAULT '[]'::jsonb NOT NULL,
  "topics" jsonb DEFAULT '[]'::jsonb NOT NULL,
  "adjectives" jsonb DEFAULT '[]'::jsonb NOT NULL,
  "knowledge" jsonb DEFAULT '[]'::jsonb NOT NULL,
  "plugins" jsonb DEFAULT '[]'::jsonb NOT NULL,
  "settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
  "style" jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE "worlds" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "agent_id" uuid NOT NULL,
  "name" text NOT NULL,
  "metadata" jsonb,
  "message_server_id" uuid,
  "created_at" timestamp DEFAULT now() NOT NULL
);

CREATE TABLE "rooms" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "agent_id" uuid,
  "source" text NOT NULL,
  "type" text NOT NULL,
  "message_server_id" uuid,
  "world_id" uuid,
  "name" text,
  "metadata" jsonb,
  "channel_id" text,
  "created_at" timestamp DEFAULT now() NOT NULL
);

CREATE TABLE "entities" (
  "id" uuid PRIMARY KEY NOT NULL,
  "agent_id" uuid NOT NULL,
  "created_at" timestamp DEFAULT now() NOT NULL,
  "names" text[] DEFAULT '{}'::text[] NOT NULL,
  "metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT "id_agent_id_unique" UNIQUE("id","agent_id")
);

CREATE TABLE "components" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "entity_id" uuid NOT NULL,
  "agent_id" uuid NOT NULL,
  "room_id" uuid NOT NULL,
  "world_id" uuid,
  "source_entity_id" uuid,
  "type" text NOT NULL,
  "data" jsonb DEFAULT '{}'::jsonb,
  "created_at" timestamp DEFAULT now() NOT NULL
);

CREATE TABLE "participants" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "created_at" timestamp with time zone DEFAULT now() NOT NULL,
  "entity_id" uuid,
  "room_id" uuid,
  "agent_id" uuid,
  "room_state" text
);

CREATE TABLE "relationships" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "created_at" timestamp with time zone DEFAULT now() NOT NULL,
  "source_entity_id" uuid NOT NULL,
  "target_entity_id" uuid NOT NULL,
  "agent_id" uuid NOT NULL,
  "tags" text[],
  "metadata" jsonb,
  CONSTRAINT "unique_relationship" UNIQUE("source_entity_id","target_entity_id","agent_id")
);

CREATE TABLE "memories" (
  "id" uuid PRIMARY KEY NOT NULL,
  "type" text NOT NULL,
  "created_at" timestamp DEFAULT now() NOT NULL,
  "content" jsonb NOT NULL,
  "entity_id" uuid,
  "agent_id" uuid NOT NULL,
  "room_id" uuid,
  "world_id" uuid,
  "unique" boolean DEFAULT true NOT NULL,
  "metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT "fragment_metadata_check" CHECK (
    CASE
      WHEN metadata->>'type' = 'fragment' THEN metadata ? 'documentId' AND metadata ? 'position'
      ELSE true
    END
  ),
  CONSTRAINT "document_metadata_check" CHECK (
    CASE
      WHEN metadata->>'type' = 'document' THEN metadata ? 'timestamp'
      ELSE true
    END
  )
);

CREATE TABLE "embeddings" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "memory_id" uuid,
  "created_at" timestamp DEFAULT now() NOT NULL,
  "dim_384" vector(384),
  "dim_512" vector(512),
  "dim_768" vector(768),
  "dim_1024" vector(1024),
  "dim_1536" vector(1536),
  "dim_3072" vector(3072),
  CONSTRAINT "embedding_source_check" CHECK ("memory_id" IS NOT NULL)
);

CREATE TABLE "logs" (
  "id" uuid DEFAULT gen_random_uuid() NOT NULL,
  "created_at" timestamp with time zone DEFAULT now() NOT NULL,
  "entity_id" uuid NOT NULL,
  "body" jsonb NOT NULL,
  "type" text NOT NULL,
  "room_id" uuid NOT NULL
);

CREATE TABLE "cache" (
  "key" text NOT NULL,
  "agent_id" uuid NOT NULL,
  "value" jsonb NOT NULL,
  "created_at" timestamp with time zone DEFAULT now() NOT NULL,
  "expires_at" timestamp with time zone,
  CONSTRAINT "cache_key_agent_id_pk" PRIMARY KEY("key","agent_id")
);

CREATE TABLE "tasks" (
  "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
  "name" text NOT NULL,
  "description" text,
  "room_id" uuid,
  "world_id" uuid,
  "entity_id" uuid,
  "agent_id" uuid NOT NULL,
  "tags" text[] DEFAULT '{}'::text[],
  "metadata" jsonb DEFAULT '{}'::jsonb,
  "created_at" timestamp with time zone DEFAULT now(),
  "updated_at" timestamp with time zone DEFAULT now()
);

CREATE TABLE "message_servers" (
  "id" uuid PRIMARY KEY NOT NULL,
  "name" text NOT NULL,
  "source_type" text NOT NULL,
  "created_at" timestamp DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE TABLE "channels" (
  "id" text PRIMARY KEY NOT NULL,
  "message_server_id" uuid NOT NULL,
  "name" text NOT NULL,
  "type" text NOT NULL,
  "created_at" timestamp DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE TABLE "central_messages" (
  "id" text PRIMARY KEY NOT NULL,
  "channel_id" text NOT NULL,
  "author_id" text NOT NULL,
  "content" text NOT NULL,
  "raw_message" jsonb,
  "in_reply_to_root_message_id" text,
  "created_at" timestamp DEFAULT CURRENT_TIMESTAMP NOT NULL
);

ALTER TABLE "worlds" ADD CONSTRAINT "worlds_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "rooms" ADD CONSTRAINT "rooms_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "entities" ADD CONSTRAINT "entities_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "components" ADD CONSTRAINT "components_entity_id_entities_id_fk"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "components" ADD CONSTRAINT "components_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "components" ADD CONSTRAINT "components_room_id_rooms_id_fk"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "components" ADD CONSTRAINT "components_world_id_worlds_id_fk"
  FOREIGN KEY ("world_id") REFERENCES "public"."worlds"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "components" ADD CONSTRAINT "components_source_entity_id_entities_id_fk"
  FOREIGN KEY ("source_entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "participants" ADD CONSTRAINT "participants_entity_id_entities_id_fk"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "participants" ADD CONSTRAINT "participants_room_id_rooms_id_fk"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "participants" ADD CONSTRAINT "participants_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
-- Its schema declares these keys twice, once by column and once by name.
ALTER TABLE "participants" ADD CONSTRAINT "fk_room"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "participants" ADD CONSTRAINT "fk_user"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "relationships" ADD CONSTRAINT "relationships_source_entity_id_entities_id_fk"
  FOREIGN KEY ("source_entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "relationships" ADD CONSTRAINT "relationships_target_entity_id_entities_id_fk"
  FOREIGN KEY ("target_entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "relationships" ADD CONSTRAINT "relationships_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "relationships" ADD CONSTRAINT "fk_user_a"
  FOREIGN KEY ("source_entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "relationships" ADD CONSTRAINT "fk_user_b"
  FOREIGN KEY ("target_entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "memories" ADD CONSTRAINT "memories_entity_id_entities_id_fk"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "memories" ADD CONSTRAINT "memories_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "memories" ADD CONSTRAINT "memories_room_id_rooms_id_fk"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "memories" ADD CONSTRAINT "fk_room"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "memories" ADD CONSTRAINT "fk_user"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "memories" ADD CONSTRAINT "fk_agent"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_memory_id_memories_id_fk"
  FOREIGN KEY ("memory_id") REFERENCES "public"."memories"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "embeddings" ADD CONSTRAINT "fk_embedding_memory"
  FOREIGN KEY ("memory_id") REFERENCES "public"."memories"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "logs" ADD CONSTRAINT "logs_entity_id_entities_id_fk"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "logs" ADD CONSTRAINT "logs_room_id_rooms_id_fk"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "logs" ADD CONSTRAINT "fk_room"
  FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "logs" ADD CONSTRAINT "fk_user"
  FOREIGN KEY ("entity_id") REFERENCES "public"."entities"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "cache" ADD CONSTRAINT "cache_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_agent_id_agents_id_fk"
  FOREIGN KEY ("agent_id") REFERENCES "public"."agents"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "channels" ADD CONSTRAINT "channels_message_server_id_message_servers_id_fk"
  FOREIGN KEY ("message_server_id") REFERENCES "public"."message_servers"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "central_messages" ADD CONSTRAINT "central_messages_channel_id_channels_id_fk"
  FOREIGN KEY ("channel_id") REFERENCES "public"."channels"("id") ON DELETE cascade ON UPDATE no action;

CREATE INDEX "idx_participants_user" ON "participants" USING btree ("entity_id");
CREATE INDEX "idx_participants_room" ON "participants" USING btree ("room_id");
CREATE INDEX "idx_relationships_users" ON "relationships" USING btree ("source_entity_id","target_entity_id");
CREATE INDEX "idx_memories_type_room" ON "memories" USING btree ("type","room_id");
CREATE INDEX "idx_memories_world_id" ON "memories" USING btree ("world_id");
CREATE INDEX "idx_memories_metadata_type" ON "memories" USING btree (((metadata->>'type')));
CREATE INDEX "idx_memories_document_id" ON "memories" USING btree (((metadata->>'documentId')));
CREATE INDEX "idx_fragments_order"
  ON "memories" USING btree (((metadata->>'documentId')), ((metadata->>'position')));
CREATE INDEX "idx_embedding_memory" ON "embeddings" USING btree ("memory_id");

-- An operator's own.
CREATE VIEW "active_agents" AS SELECT "id", "name" FROM "agents" WHERE "enabled";
COMMENT ON TABLE "memories" IS 'do not truncate';

INSERT INTO "migrations"."_migrations" ("plugin_name", "hash", "created_at")
VALUES ('@elizaos/plugin-sql', 'b1f2', 1754041200000);

INSERT INTO "agents" ("id", "name", "username", "system", "bio", "settings") VALUES
  ('a0000000-0000-0000-0000-000000000001', 'Эльза 🤖', 'elza', NULL, 'null', '{"secrets": {"KEY": "v1:ab:cd"}, "n": null}'),
  ('a0000000-0000-0000-0000-000000000002', 'O''Brien "ボット"', NULL, '', '["one", null, "two\nlines"]', '{}');

INSERT INTO "worlds" ("id", "agent_id", "name", "metadata", "created_at") VALUES
  ('b0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'Сервер', NULL, '2025-03-30 02:30:00'),
  ('b0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000002', '', 'null', '2025-10-26 01:30:00.123456');

INSERT INTO "rooms" ("id", "agent_id", "source", "type", "world_id", "name", "metadata", "channel_id", "created_at") VALUES
  ('c0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'discord', 'GROUP', 'b0000000-0000-0000-0000-000000000001', '#общий', '{"topic": null}', '998877', '2025-06-01 08:00:00'),
  ('c0000000-0000-0000-0000-000000000002', NULL, 'telegram', 'DM', 'bfffffff-0000-0000-0000-000000000009', NULL, NULL, NULL, '2025-06-02 08:00:00'),
  ('c0000000-0000-0000-0000-000000000003', 'a0000000-0000-0000-0000-000000000002', 'discord', 'VOICE_GROUP', NULL, '', '{}', '998877', '2025-06-03 08:00:00');

INSERT INTO "entities" ("id", "agent_id", "names", "metadata", "created_at") VALUES
  ('d0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', '{"Анна","ann, \"the first\""}', '{"discord": {"id": 1}}', '2025-06-01 08:00:00'),
  ('d0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', '{}', '{}', '2025-06-01 08:00:01'),
  ('d0000000-0000-0000-0000-000000000003', 'a0000000-0000-0000-0000-000000000002', '{NULL,"NULL"}', 'null', '2025-06-01 08:00:02');

INSERT INTO "components" ("entity_id", "agent_id", "room_id", "world_id", "source_entity_id", "type", "data") VALUES
  ('d0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000001', NULL, 'profile', '{"bio": "👩‍🚀"}'),
  ('d0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000001', NULL, 'd0000000-0000-0000-0000-000000000001', 'profile', NULL);

-- The runtime adds participants without a look: two pairs are here twice or thrice. NULLs are no duplicates.
INSERT INTO "participants" ("entity_id", "room_id", "agent_id", "room_state", "created_at") VALUES
  ('d0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', NULL, '2025-06-01 08:00:00+00'),
  ('d0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'MUTED', '2025-06-02 08:00:00+00'),
  ('d0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000001', NULL, NULL, '2025-06-03 08:00:00+00'),
  ('d0000000-0000-0000-0000-000000000002', 'c0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'FOLLOWED', '2025-06-01 08:00:00+00'),
  ('d0000000-0000-0000-0000-000000000002', 'c0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'FOLLOWED', '2025-06-01 08:00:00+00'),
  ('d0000000-0000-0000-0000-000000000003', 'c0000000-0000-0000-0000-000000000003', 'a0000000-0000-0000-0000-000000000002', NULL, '2025-06-01 08:00:00+00'),
  (NULL, 'c0000000-0000-0000-0000-000000000003', NULL, NULL, '2025-06-01 08:00:00+00'),
  (NULL, 'c0000000-0000-0000-0000-000000000003', NULL, NULL, '2025-06-01 08:00:00+00');

INSERT INTO "relationships" ("source_entity_id", "target_entity_id", "agent_id", "tags", "metadata") VALUES
  ('d0000000-0000-0000-0000-000000000001', 'd0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', '{friend,"über, alles"}', '{"strength": 0.75}'),
  ('d0000000-0000-0000-0000-000000000002', 'd0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', NULL, NULL);

INSERT INTO "memories" ("id", "type", "created_at", "content", "entity_id", "agent_id", "room_id", "world_id", "unique", "metadata") VALUES
  ('e0000000-0000-0000-0000-000000000001', 'messages', '2025-06-01 08:00:00.5', '{"text": "Привет 🌍", "attachments": null}', 'd0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000001', true, '{"type": "message"}'),
  ('e0000000-0000-0000-0000-000000000002', 'documents', '2025-06-01 08:00:01', '{"text": ""}', NULL, 'a0000000-0000-0000-0000-000000000001', NULL, NULL, true, '{"type": "document", "timestamp": 1748764801}'),
  ('e0000000-0000-0000-0000-000000000003', 'knowledge', '2025-06-01 08:00:02', '{"text": "fragment"}', NULL, 'a0000000-0000-0000-0000-000000000001', NULL, NULL, false, '{"type": "fragment", "documentId": "e0000000-0000-0000-0000-000000000002", "position": 0}'),
  ('e0000000-0000-0000-0000-000000000004', 'facts', '2025-06-01 08:00:03', 'null', 'd0000000-0000-0000-0000-000000000003', 'a0000000-0000-0000-0000-000000000002', 'c0000000-0000-0000-0000-000000000003', NULL, true, '{}');

INSERT INTO "embeddings" ("memory_id", "created_at", "dim_384", "dim_3072") VALUES
  ('e0000000-0000-0000-0000-000000000001', '2025-06-01 08:00:01', (SELECT array_agg(sin(n))::vector FROM generate_series(1, 384) n), NULL),
  ('e0000000-0000-0000-0000-000000000002', '2025-06-01 08:00:02', NULL, (SELECT array_agg(cos(n))::vector FROM generate_series(1, 3072) n)),
  -- Embedded again after a change of the model.
  ('e0000000-0000-0000-0000-000000000002', '2025-06-09 08:00:02', (SELECT array_agg(cos(n))::vector FROM generate_series(1, 384) n), NULL),
  ('e0000000-0000-0000-0000-000000000003', '2025-06-01 08:00:03', NULL, NULL);

-- One line came twice when a backup was restored: without a primary key nothing objects.
INSERT INTO "logs" ("id", "created_at", "entity_id", "body", "type", "room_id") VALUES
  ('f0000000-0000-0000-0000-000000000001', '2025-06-01 08:00:00+00', 'd0000000-0000-0000-0000-000000000001', '{"runId": "1", "status": "started"}', 'run_event', 'c0000000-0000-0000-0000-000000000001'),
  ('f0000000-0000-0000-0000-000000000001', '2025-06-01 08:00:00+00', 'd0000000-0000-0000-0000-000000000001', '{"runId": "1", "status": "started"}', 'run_event', 'c0000000-0000-0000-0000-000000000001'),
  ('f0000000-0000-0000-0000-000000000002', '2025-06-01 08:00:05+00', 'd0000000-0000-0000-0000-000000000001', 'null', 'action', 'c0000000-0000-0000-0000-000000000001');

INSERT INTO "cache" ("key", "agent_id", "value", "expires_at") VALUES
  ('ключ', 'a0000000-0000-0000-0000-000000000001', 'null', NULL),
  ('', 'a0000000-0000-0000-0000-000000000001', '{"a": [1, null]}', '2020-01-01 00:00:00+00');

INSERT INTO "tasks" ("name", "description", "agent_id", "tags", "metadata", "created_at", "updated_at") VALUES
  ('BATCHER', NULL, 'a0000000-0000-0000-0000-000000000001', '{queue,repeat}', '{"updateInterval": 60000}', now(), NULL),
  ('напомнить', '…', 'a0000000-0000-0000-0000-000000000002', NULL, NULL, NULL, NULL);

INSERT INTO "message_servers" ("id", "name", "source_type")
VALUES ('00000000-0000-0000-0000-000000000000', 'Default Server', 'eliza_default');
INSERT INTO "channels" ("id", "message_server_id", "name", "type")
VALUES ('ch1', '00000000-0000-0000-0000-000000000000', 'general', 'GROUP');
INSERT INTO "central_messages" ("id", "channel_id", "author_id", "content")
VALUES ('m1', 'ch1', 'u1', 'привет');
