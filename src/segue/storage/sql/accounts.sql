-- name: list_accounts
SELECT id, email, name, role, created_at, password_hash, theme, has_shortcuts
FROM accounts ORDER BY email;

-- name: find_account
SELECT id, email, name, role, created_at, password_hash, theme, has_shortcuts
FROM accounts WHERE id = :id;

-- name: find_account_by_email
SELECT id, email, name, role, created_at, password_hash, theme, has_shortcuts
FROM accounts WHERE email = :email;

-- name: save_account
INSERT INTO accounts (id, email, name, role, created_at, password_hash, theme, has_shortcuts)
VALUES (:id, :email, :name, :role, :created_at, :password_hash, :theme, :has_shortcuts)
ON CONFLICT (id) DO UPDATE SET
    email = excluded.email,
    name = excluded.name,
    role = excluded.role,
    password_hash = excluded.password_hash,
    theme = excluded.theme,
    has_shortcuts = excluded.has_shortcuts;

-- name: delete_account
DELETE FROM accounts WHERE id = :id;

-- name: put_session
INSERT INTO sessions (id, token_hash, account_id, created_at, seen_at, address, agent)
VALUES (:id, :token_hash, :account_id, :created_at, :seen_at, :address, :agent);

-- name: delete_surplus_sessions
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE account_id = :account_id
    ORDER BY seen_at DESC, id DESC
    LIMIT -1 OFFSET :kept
);

-- name: find_session
SELECT id, token_hash, account_id, created_at, seen_at, address, agent
FROM sessions WHERE token_hash = :token_hash;

-- name: list_sessions_of
SELECT id, token_hash, account_id, created_at, seen_at, address, agent
FROM sessions WHERE account_id = :account_id ORDER BY seen_at DESC, id DESC;

-- name: touch_session
UPDATE sessions SET seen_at = :seen_at WHERE id = :id;

-- name: delete_session
DELETE FROM sessions WHERE id = :id;

-- name: delete_sessions_of
DELETE FROM sessions WHERE account_id = :account_id;

-- name: delete_links_of
DELETE FROM sign_in_links WHERE account_id = :account_id;

-- name: delete_earlier_links
DELETE FROM sign_in_links WHERE purpose = :purpose AND account_id IS :account_id;

-- name: put_link
INSERT INTO sign_in_links (token_hash, purpose, account_id, expires_at)
VALUES (:token_hash, :purpose, :account_id, :expires_at);

-- name: find_link
SELECT token_hash, purpose, account_id, expires_at FROM sign_in_links
WHERE token_hash = :token_hash;

-- name: delete_link
DELETE FROM sign_in_links WHERE token_hash = :token_hash;

-- name: append_change
INSERT INTO audit (at, actor, actor_id, actor_name, action, target, detail)
VALUES (:at, :actor, :actor_id, :actor_name, :action, :target, :detail);

-- name: delete_surplus_changes
DELETE FROM audit WHERE number <= (SELECT max(number) FROM audit) - :kept;

-- name: list_newest_changes
SELECT at, actor, actor_id, actor_name, action, target, detail, number FROM audit
WHERE number < :before ORDER BY number DESC LIMIT :limit;
