-- name: find_hold
SELECT since, held_by FROM hold;

-- name: put_hold
INSERT INTO hold (id, since, held_by) VALUES (1, :since, :by) ON CONFLICT (id) DO NOTHING;

-- name: delete_hold
DELETE FROM hold;
