-- name: put_codes
-- Leaves out those that are there.
INSERT OR IGNORE INTO codes (code, user_id, expires_at, tracked) VALUES (?, ?, ?, ?);

-- name: list_codes_among
SELECT code, tracked FROM codes WHERE code IN (VALUES (?));

-- name: find_live_code
SELECT tracked FROM codes WHERE code = :code AND expires_at > :now;

-- name: delete_expired_codes
DELETE FROM codes WHERE id IN (
    SELECT id FROM codes WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
);

-- name: delete_oldest_codes
DELETE FROM codes WHERE id IN (SELECT id FROM codes ORDER BY id LIMIT :limit);

-- name: delete_codes_of_user
DELETE FROM codes WHERE user_id = :user_id;

-- name: add_to_count
INSERT INTO code_count (id, count) VALUES (1, :change)
ON CONFLICT (id) DO UPDATE SET count = count + excluded.count
RETURNING count;
