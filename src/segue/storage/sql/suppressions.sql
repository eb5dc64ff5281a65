-- name: put_suppression
INSERT OR IGNORE INTO suppressions (channel, address, reason, since, campaign)
VALUES (?, ?, ?, ?, ?);

-- name: count_suppressions
SELECT coalesce(max(count), 0) FROM suppression_count;

-- name: adjust_suppression_count
INSERT INTO suppression_count (id, count) VALUES (1, :added)
ON CONFLICT (id) DO UPDATE SET count = count + excluded.count;

-- name: delete_oldest_bounces
DELETE FROM suppressions WHERE (channel, address, reason) IN (
    SELECT channel, address, reason FROM suppressions
    WHERE reason = 'bounce' ORDER BY since, channel, address LIMIT :count
);

-- name: delete_newest_complaints
DELETE FROM suppressions WHERE (channel, address, reason) IN (
    SELECT channel, address, reason FROM suppressions
    WHERE reason = 'complaint' ORDER BY since DESC, channel DESC, address DESC LIMIT :count
);

-- name: find_suppressions
SELECT channel, address, reason, since, campaign FROM suppressions
WHERE channel = :channel AND address = :address ORDER BY reason;

-- name: list_suppressions
SELECT channel, address, reason, since, campaign FROM suppressions
WHERE
    channel = :channel AND (address, reason) > (:address, :reason)
    AND (:part = '' OR instr(address, :part) > 0)
ORDER BY address, reason LIMIT :limit;

-- name: delete_suppressions
DELETE FROM suppressions WHERE channel = :channel AND address = :address;

-- name: save_suppressed_seq
INSERT INTO suppressions_followed (id, seq) VALUES (1, :seq)
ON CONFLICT (id) DO UPDATE SET seq = max(seq, excluded.seq);

-- name: find_suppressed_seq
SELECT coalesce(max(seq), 0) FROM suppressions_followed;
