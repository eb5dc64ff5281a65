-- name: append_block
-- Appends nothing when :seq is not the next one.
INSERT INTO log (
    seq, first_ordinal, first_received_at, last_received_at, count, byte_end, bytes
)
SELECT
    :seq,
    :first_ordinal,
    :first_received_at,
    :last_received_at,
    :count,
    coalesce((SELECT byte_end FROM log ORDER BY seq DESC LIMIT 1), 0) + length(:bytes),
    :bytes
WHERE :seq = coalesce((SELECT max(seq) FROM log), 0) + 1;

-- name: read_log_end
SELECT seq, first_ordinal + count, last_received_at FROM log ORDER BY seq DESC LIMIT 1;

-- name: list_blocks_after
SELECT seq, first_ordinal, bytes FROM log WHERE seq > :seq ORDER BY seq LIMIT :limit;

-- name: find_block
SELECT seq, first_ordinal, bytes FROM log WHERE seq = :seq;

-- name: find_first_seq
SELECT coalesce(min(seq), 0) FROM log;

-- name: count_log_bytes
SELECT
    coalesce(
        (SELECT byte_end FROM log ORDER BY seq DESC LIMIT 1)
        - (SELECT byte_end - length(bytes) FROM log ORDER BY seq LIMIT 1),
        0
    );

-- name: find_last_surplus_block
-- The first block behind which no more than :bytes_max follow: it and those before it may go.
SELECT seq FROM log
WHERE byte_end >= (SELECT byte_end FROM log ORDER BY seq DESC LIMIT 1) - :bytes_max
ORDER BY seq LIMIT 1;

-- name: delete_blocks_before
DELETE FROM log WHERE seq < :seq;

-- name: delete_parts_before
DELETE FROM user_blocks WHERE (part, user_key, seq) IN (
    SELECT part, user_key, seq FROM user_blocks WHERE part < :part LIMIT :limit
);

-- name: put_user_blocks
INSERT OR IGNORE INTO user_blocks (part, user_key, seq) VALUES (?, ?, ?);

-- name: save_indexed_seq
INSERT INTO indexed (id, seq) VALUES (1, :seq) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq;

-- name: find_indexed_seq
SELECT coalesce(max(seq), 0) FROM indexed;

-- name: list_blocks_of_user
-- One look into each part that is there.
WITH RECURSIVE parts (part) AS (
    SELECT :first_part
    UNION ALL
    SELECT part + 1 FROM parts WHERE part < :last_part
)
SELECT user_blocks.seq FROM parts CROSS JOIN user_blocks USING (part)
WHERE user_blocks.user_key = :user_key AND user_blocks.seq >= :first_seq
ORDER BY user_blocks.seq;

-- name: list_campaigns
SELECT id, document, status, version, created_at, updated_at, published_at
FROM campaigns ORDER BY slug;

-- name: find_campaign
SELECT id, document, status, version, created_at, updated_at, published_at
FROM campaigns WHERE slug = :reference OR id = :reference
ORDER BY slug = :reference DESC LIMIT 1;

-- name: save_campaign
INSERT INTO campaigns (
    id, slug, document, status, version, created_at, updated_at, published_at
)
VALUES (
    :id, :slug, :document, :status, :version, :created_at, :updated_at, :published_at
)
ON CONFLICT (id) DO UPDATE SET
    slug = excluded.slug,
    document = excluded.document,
    status = excluded.status,
    version = excluded.version,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    published_at = excluded.published_at;

-- name: delete_campaign
DELETE FROM campaigns WHERE id = :id;

-- name: list_keys
SELECT id, secret_hash, scopes, created_at, name, revoked_at FROM api_keys
ORDER BY created_at, id;

-- name: save_key
INSERT OR REPLACE INTO api_keys (id, secret_hash, scopes, created_at, name, revoked_at)
VALUES (:id, :secret_hash, :scopes, :created_at, :name, :revoked_at);

-- name: find_secret
SELECT value FROM secrets WHERE name = :name;

-- name: save_secret
INSERT OR IGNORE INTO secrets (name, value) VALUES (:name, :value);
