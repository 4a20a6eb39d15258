-- What SQLAlchemy's create_all prints for a naming convention of its manual, and some rows.

CREATE TYPE state AS ENUM ('draft', 'published');

CREATE TABLE authors (
	id SERIAL NOT NULL,
	email VARCHAR(255) NOT NULL,
	name VARCHAR(255) NOT NULL,
	active BOOLEAN DEFAULT true NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
	CONSTRAINT pk_authors PRIMARY KEY (id),
	CONSTRAINT uq_authors_email UNIQUE (email)
);

CREATE INDEX ix_authors_name ON authors (name);

CREATE TABLE tags (
	id SERIAL NOT NULL,
	name VARCHAR(64) NOT NULL,
	CONSTRAINT pk_tags PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_tags_name ON tags (name);

CREATE TABLE articles (
	id BIGSERIAL NOT NULL,
	author_id INTEGER NOT NULL,
	slug VARCHAR(255) NOT NULL,
	title VARCHAR(255) NOT NULL,
	body TEXT,
	words INTEGER DEFAULT 0 NOT NULL,
	price NUMERIC(10, 2),
	state state DEFAULT 'draft' NOT NULL,
	extra JSON,
	published_at TIMESTAMP WITHOUT TIME ZONE,
	CONSTRAINT pk_articles PRIMARY KEY (id),
	CONSTRAINT uq_articles_author_id UNIQUE (author_id, slug),
	CONSTRAINT ck_articles_words CHECK (words >= 0),
	CONSTRAINT fk_articles_author_id_authors FOREIGN KEY(author_id) REFERENCES authors (id)
);

CREATE INDEX ix_articles_published ON articles (published_at) WHERE published_at IS NOT NULL;

CREATE INDEX ix_articles_author_id ON articles (author_id);

CREATE TABLE article_tags (
	id SERIAL NOT NULL,
	article_id BIGINT NOT NULL,
	tag_id INTEGER NOT NULL,
	CONSTRAINT pk_article_tags PRIMARY KEY (id),
	CONSTRAINT fk_article_tags_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id) ON DELETE CASCADE,
	CONSTRAINT fk_article_tags_tag_id_tags FOREIGN KEY(tag_id) REFERENCES tags (id) ON DELETE CASCADE
);

INSERT INTO authors (email, name) VALUES ('анна@пример.рф', 'Анна'), ('o''brien@example.com', 'O''Brien');
INSERT INTO tags (name) VALUES ('🚀'), ('');
INSERT INTO articles (author_id, slug, title, body, words, price, state, extra, published_at) VALUES
	(1, 'привет', 'Привет', NULL, 0, 9999999.99, 'published', 'null', '2025-10-26 01:30:00'),
	(2, '', '', '', 7, NULL, 'draft', '{"b": 1,  "a": [null]}', NULL);
INSERT INTO article_tags (article_id, tag_id) VALUES (1, 1), (1, 2), (2, 1);
