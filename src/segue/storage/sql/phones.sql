-- name: put_phone_message
INSERT OR IGNORE INTO phone_messages (
    user_id, channel, send_id, campaign, variant, at, byte_count, content
)
VALUES (:user_id, :channel, :send_id, :campaign, :variant, :at, :byte_count, :content);

-- name: delete_surplus_of_phone
DELETE FROM phone_messages WHERE place IN (
    SELECT place FROM phone_messages
    WHERE user_id = :user_id ORDER BY place DESC LIMIT -1 OFFSET :kept
);

-- name: measure_phones
SELECT count(*), coalesce(sum(byte_count), 0) FROM phone_messages;

-- name: delete_surplus_of_phones
DELETE FROM phone_messages WHERE place IN (
    SELECT place FROM (
        SELECT
            place,
            row_number() OVER newest AS rank,
            sum(byte_count) OVER newest AS bytes_so_far
        FROM phone_messages
        WINDOW newest AS (ORDER BY place DESC)
    ) WHERE rank > :count_max OR bytes_so_far > :bytes_max
);

-- name: list_messages_of_phone
SELECT user_id, channel, send_id, campaign, variant, at, place, content
FROM phone_messages
WHERE user_id = :user_id AND place < :before AND (:channel IS NULL OR channel = :channel)
ORDER BY place DESC LIMIT :limit;

-- name: list_messages_after
SELECT user_id, channel, send_id, campaign, variant, at, place, content
FROM phone_messages
WHERE place > :place AND (:user_id IS NULL OR user_id = :user_id)
ORDER BY place LIMIT :limit;

-- name: find_last_place
SELECT coalesce(max(place), 0) FROM phone_messages;

-- name: list_phones
SELECT found.user_id, found.message_count, found.newest_place, newest.at
FROM (
    SELECT user_id, count(*) AS message_count, max(place) AS newest_place
    FROM phone_messages GROUP BY user_id
) AS found
INNER JOIN phone_messages AS newest ON newest.place = found.newest_place
WHERE found.newest_place < :before
ORDER BY found.newest_place DESC LIMIT :limit;

-- name: delete_phone
DELETE FROM phone_messages WHERE user_id = :user_id;
