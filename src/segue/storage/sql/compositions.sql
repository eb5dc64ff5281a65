-- name: list_compositions
SELECT id, name, created_at, changed_at, changed_by, campaign, base_version, base_updated_at,
    is_slug_own, visited
FROM compositions ORDER BY changed_at DESC, id DESC;

-- name: find_composition
SELECT id, name, created_at, changed_at, changed_by, campaign, base_version, base_updated_at,
    is_slug_own, visited, tree
FROM compositions WHERE id = :id;

-- name: save_composition
INSERT INTO compositions (id, name, created_at, changed_at, changed_by, campaign, base_version,
    base_updated_at, is_slug_own, visited, tree)
VALUES (:id, :name, :created_at, :changed_at, :changed_by, :campaign, :base_version,
    :base_updated_at, :is_slug_own, :visited, :tree)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name,
    changed_at = excluded.changed_at,
    changed_by = excluded.changed_by,
    campaign = excluded.campaign,
    base_version = excluded.base_version,
    base_updated_at = excluded.base_updated_at,
    is_slug_own = excluded.is_slug_own,
    visited = excluded.visited,
    tree = excluded.tree;

-- name: delete_surplus_compositions
DELETE FROM compositions WHERE id IN (
    SELECT id FROM compositions ORDER BY changed_at DESC, id DESC
    LIMIT -1 OFFSET :kept
);

-- name: delete_composition
DELETE FROM compositions WHERE id = :id;
