-- The journal (segue.db): the log, the index of its users, what people set up, the messages that
-- wait for devices or lie on virtual phones, what short codes stand for, those who sign in, the
-- addresses that get nothing, what is being written, and whether all sending is held.

CREATE TABLE IF NOT EXISTS log (
    seq INTEGER PRIMARY KEY,
    first_ordinal INTEGER NOT NULL,
    first_received_at INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    -- Bytes of all blocks ever appended, up to this one: sizes are told without reading blocks.
    byte_end INTEGER NOT NULL,
    -- Last, so that reading the columns before it leaves its overflow pages alone.
    bytes BLOB NOT NULL
) STRICT;

-- `part` is seq / 1024. It keeps the rows of one time together: new ones go to few pages however
-- large the index has grown, and those of forgotten blocks are one range.
CREATE TABLE IF NOT EXISTS user_blocks (
    part INTEGER NOT NULL,
    user_key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (part, user_key, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS indexed (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS campaigns (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    document BLOB NOT NULL, -- msgpack
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    published_at INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY,
    secret_hash BLOB NOT NULL,
    scopes BLOB NOT NULL, -- msgpack
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS inbox (
    user_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    send_id TEXT NOT NULL,
    campaign TEXT NOT NULL,
    variant TEXT NOT NULL,
    available_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    content BLOB NOT NULL, -- msgpack
    ended_at INTEGER,
    PRIMARY KEY (user_id, channel, send_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS inbox_by_expiry ON inbox (expires_at);

CREATE TABLE IF NOT EXISTS codes (
    id INTEGER PRIMARY KEY, -- in the order in which they came
    code TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    tracked BLOB NOT NULL -- msgpack
) STRICT;

CREATE INDEX IF NOT EXISTS codes_by_expiry ON codes (expires_at);
CREATE INDEX IF NOT EXISTS codes_by_user ON codes (user_id);

-- How many rows `codes` has; SQLite would have to read an index from end to end to tell.
CREATE TABLE IF NOT EXISTS code_count (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    password_hash TEXT,
    theme TEXT NOT NULL,
    has_shortcuts INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    account_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS sessions_by_account ON sessions (account_id);

CREATE TABLE IF NOT EXISTS sign_in_links (
    token_hash BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    account_id TEXT,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- Addresses that get nothing: a row for each reason.
CREATE TABLE IF NOT EXISTS suppressions (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    campaign TEXT,
    PRIMARY KEY (channel, address, reason)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS suppressions_by_age ON suppressions (reason, since);

-- How many rows it has; SQLite would have to read an index from end to end to tell.
CREATE TABLE IF NOT EXISTS suppression_count (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;

-- Up to which block what the log tells of addresses has been put into the table.
CREATE TABLE IF NOT EXISTS suppressions_followed (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS phone_messages (
    -- Never given twice: pages go on from a place, also when the newest message is gone.
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    send_id TEXT NOT NULL,
    campaign TEXT NOT NULL,
    variant TEXT NOT NULL,
    at INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    content BLOB NOT NULL, -- msgpack
    UNIQUE (user_id, channel, send_id)
) STRICT;

CREATE INDEX IF NOT EXISTS phone_messages_by_user ON phone_messages (user_id, place, byte_count);

CREATE TABLE IF NOT EXISTS compositions (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    campaign TEXT,
    base_version INTEGER NOT NULL,
    base_updated_at INTEGER NOT NULL,
    is_slug_own INTEGER NOT NULL,
    visited TEXT NOT NULL, -- keys of steps, with spaces between them
    tree BLOB NOT NULL -- msgpack; last, so that lists leave its overflow pages alone
) STRICT;

-- While there is a row, nothing is handed over: since when, and who stopped it.
CREATE TABLE IF NOT EXISTS hold (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER NOT NULL,
    held_by TEXT NOT NULL
) STRICT;
