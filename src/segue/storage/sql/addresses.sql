-- name: put_addresses
INSERT OR IGNORE INTO addresses (key, user_id) VALUES (?, ?);

-- name: delete_addresses
INSERT INTO gone_addresses (key, user_id) VALUES (?, ?);

-- name: list_users_at
SELECT user_id FROM addresses WHERE key = :key AND user_id > :after
ORDER BY user_id LIMIT :limit;

-- name: find_filled
SELECT 1 FROM filled WHERE name = :name;

-- name: put_filled
INSERT OR IGNORE INTO filled (name) VALUES (:name);
