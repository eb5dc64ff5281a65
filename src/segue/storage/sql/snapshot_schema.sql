-- The snapshot (state.db): what the log was folded into, up to a position.

CREATE TABLE IF NOT EXISTS position (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    next_ordinal INTEGER NOT NULL,
    now INTEGER NOT NULL
) STRICT;

-- `key` is a hash of the user's id: rows are found and written in the order of a number, which
-- is what makes a checkpoint cheap. On a collision the next free number is taken.
CREATE TABLE IF NOT EXISTS user_states (
    key INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    state BLOB NOT NULL -- msgpack
) STRICT;

-- For paging and counting. A user's later states leave it untouched.
CREATE INDEX IF NOT EXISTS user_states_by_user ON user_states (user_id);

CREATE TABLE IF NOT EXISTS timers (
    due_at INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    campaign TEXT NOT NULL,
    PRIMARY KEY (due_at, user_id, campaign)
) STRICT, WITHOUT ROWID;

-- Inserting into this view deletes timers. DELETE ... WHERE (due_at, user_id, campaign) IN (...)
-- reads the whole table, or all timers of an instant; this finds each by its whole key.
CREATE VIEW IF NOT EXISTS gone_timers AS SELECT due_at, user_id, campaign FROM timers;

CREATE TRIGGER IF NOT EXISTS delete_gone_timer INSTEAD OF INSERT ON gone_timers
BEGIN
    DELETE FROM timers
    WHERE due_at = new.due_at AND user_id = new.user_id AND campaign = new.campaign;
END;

CREATE TABLE IF NOT EXISTS outbox (
    key TEXT PRIMARY KEY,
    decided_at INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    item BLOB NOT NULL -- msgpack
) STRICT;

-- Messages that failed and may be tried again: a bounded number.
CREATE TABLE IF NOT EXISTS dead_letters (
    key TEXT PRIMARY KEY,
    settled_at INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    letter BLOB NOT NULL -- msgpack
) STRICT;

CREATE TABLE IF NOT EXISTS counters (
    campaign TEXT NOT NULL,
    hour INTEGER NOT NULL,
    variant TEXT NOT NULL,
    metric TEXT NOT NULL,
    detail TEXT NOT NULL,
    channel TEXT NOT NULL,
    amount REAL NOT NULL,
    PRIMARY KEY (campaign, hour, variant, metric, detail, channel)
) STRICT, WITHOUT ROWID;

-- How far each scheduled campaign has come: the newest `ScheduleWalked` of each.
CREATE TABLE IF NOT EXISTS walks (
    campaign TEXT PRIMARY KEY,
    walk BLOB NOT NULL -- msgpack
) STRICT, WITHOUT ROWID;

-- Whose each push token is; `key` is a hash of the token, which may be a long URL.
CREATE TABLE IF NOT EXISTS token_owners (
    key INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL
) STRICT;

-- Which users have an email address or a phone number; `key` is a hash of channel and address.
CREATE TABLE IF NOT EXISTS addresses (
    key INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (key, user_id)
) STRICT, WITHOUT ROWID;

-- As with timers: inserting here deletes addresses, each found by its whole key.
CREATE VIEW IF NOT EXISTS gone_addresses AS SELECT key, user_id FROM addresses;

CREATE TRIGGER IF NOT EXISTS delete_gone_address INSTEAD OF INSERT ON gone_addresses
BEGIN
    DELETE FROM addresses WHERE key = new.key AND user_id = new.user_id;
END;

-- What was made of the states that were there before it was kept beside them.
CREATE TABLE IF NOT EXISTS filled (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS plan_changes (
    number INTEGER PRIMARY KEY,
    change BLOB NOT NULL -- msgpack
) STRICT;

CREATE TABLE IF NOT EXISTS verdict_blocks (
    number INTEGER PRIMARY KEY,
    byte_end INTEGER NOT NULL, -- bytes of the blocks up to this one, as in the log
    bytes BLOB NOT NULL -- zstd of msgpack
) STRICT;
