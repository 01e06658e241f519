-- name: list
SELECT
    id, name, um_per_px, engine, params, created_at, spheroids_expected, reason_needed, second_opinions
FROM project
WHERE deleted_at IS NULL AND ($id::VARCHAR IS NULL OR id = $id)
ORDER BY id

-- name: totals
-- The counts, the last addition and the newest images of any number of projects, in one statement.
SELECT
    project_id,
    count(*) FILTER (status = 'new') AS new,
    count(*) FILTER (status = 'queued') AS queued,
    count(*) FILTER (status = 'running') AS running,
    count(*) FILTER (status = 'done') AS done,
    count(*) FILTER (status = 'failed') AS failed,
    count(*) FILTER (confidence < $look_below) AS look_at_this,
    count(*) FILTER (n_objects = 0) AS nothing_found,
    count(*) FILTER (n_objects > 1) AS several_found,
    count(*) FILTER (own_engine IS NOT NULL) AS own_settings,
    max(created_at) AS last_image_at,
    max_by(id, created_at, 4) AS newest
FROM image
WHERE deleted_at IS NULL AND project_id IN (SELECT unnest($ids::VARCHAR[]))
GROUP BY project_id

-- name: add
INSERT INTO project (id, name, um_per_px, um_per_px_method, engine, params, created_at)
VALUES (
    $id, $name, $um_per_px, CASE WHEN $um_per_px IS NOT NULL THEN 'typed' END::pixel_size_method,
    $engine, $params, $now
)

-- name: pixel_size
SELECT um_per_px, um_per_px_method FROM project WHERE id = $id AND deleted_at IS NULL

-- name: same_name
-- Where there are accounts, names are compared among the projects of those who see this one: others' are not told.
SELECT id FROM project
WHERE deleted_at IS NULL AND lower(name) = lower($name) AND id <> $id
    AND (
        NOT EXISTS (SELECT 1 FROM project_member)
        OR id IN (
            SELECT theirs.project_id FROM project_member AS member
            JOIN project_member AS theirs ON theirs.account_id = member.account_id
            WHERE member.project_id = $id OR member.account_id = $owner
        )
    )
LIMIT 1

-- name: rename
UPDATE project SET name = $name WHERE id = $id AND deleted_at IS NULL RETURNING id

-- name: set_pixel_size
UPDATE project SET
    um_per_px = $um_per_px,
    um_per_px_method = CASE WHEN $um_per_px IS NOT NULL THEN $method::pixel_size_method END
WHERE id = $id AND deleted_at IS NULL
RETURNING id

-- name: set_recipe
UPDATE project SET engine = $engine, params = $params WHERE id = $id AND deleted_at IS NULL RETURNING id

-- name: set_review
UPDATE project SET
    spheroids_expected = $spheroids_expected, reason_needed = $reason_needed, second_opinions = $second_opinions
WHERE id = $id AND deleted_at IS NULL
RETURNING id

-- name: delete
UPDATE project SET deleted_at = $now, deleted_by = $deleted_by WHERE id = $id AND deleted_at IS NULL RETURNING id

-- name: restore
UPDATE project SET deleted_at = NULL, deleted_by = NULL WHERE id = $id AND deleted_at IS NOT NULL RETURNING id, name

-- name: purge
DELETE FROM project WHERE deleted_at < $before RETURNING id
