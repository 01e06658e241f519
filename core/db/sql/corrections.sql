-- Drafts of corrections with their operations, and the audit of what people changed.

-- name: open
SELECT * FROM correction WHERE image_id = $image_id AND ended_at IS NULL

-- name: at_work
-- Those of some images that somebody has been correcting since a moment.
SELECT image_id FROM correction
WHERE ended_at IS NULL AND image_id IN (SELECT unnest($image_ids::VARCHAR[]))
    AND id IN (SELECT correction_id FROM correction_operation WHERE created_at > $since)

-- name: operations
SELECT * FROM correction_operation WHERE correction_id = $id ORDER BY revision

-- name: names
SELECT id, name FROM image WHERE project_id = $project_id AND deleted_at IS NULL

-- name: revision
SELECT coalesce(max(revision), 0) AS revision FROM correction_operation WHERE correction_id = $id

-- name: begin
INSERT INTO correction VALUES ($id, $image_id, $parent_id, $now, NULL, NULL)

-- name: add_operation
INSERT INTO correction_operation
VALUES ($correction_id, $revision, $op_id, $author, $tool, $ms, $digest, $created_at, $changes)

-- name: end
UPDATE correction SET ended_at = $now, version_id = $version_id WHERE id = $id AND ended_at IS NULL

-- name: last_audit
SELECT sequence, hash FROM correction_audit ORDER BY sequence DESC LIMIT 1

-- name: add_audit
INSERT INTO correction_audit VALUES ($sequence, $changed_at, $who, $image_id, $action, $facts, $previous_hash, $hash)

-- name: audit
SELECT correction_audit.*
FROM correction_audit
WHERE ($image_id::VARCHAR IS NULL OR image_id = $image_id) AND sequence > $after
ORDER BY sequence LIMIT $limit

-- name: audit_page
SELECT * FROM correction_audit WHERE image_id = $image_id ORDER BY sequence DESC LIMIT $limit OFFSET $offset

-- name: audit_count
SELECT count(*) AS total FROM correction_audit WHERE image_id = $image_id

-- name: audit_of_project
SELECT correction_audit.*, image.name AS image_name
FROM correction_audit JOIN image ON image.id = correction_audit.image_id
WHERE image.project_id = $project_id AND sequence > $after
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY sequence LIMIT $limit
