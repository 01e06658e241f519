-- Drafts of corrections with their operations, and the audit of what people changed.

-- name: open
SELECT * FROM correction WHERE image_id = $image_id AND ended_at IS NULL

-- name: at_work
-- Those of some images that somebody has been correcting since a moment.
SELECT image_id FROM correction
WHERE ended_at IS NULL AND image_id IN (SELECT unnest($image_ids::VARCHAR[]))
    AND id IN (SELECT correction_id FROM correction_operation WHERE created_at > $since)

-- name: changed_by_others
-- Images of a project whose correction another person has changed since a moment.
SELECT DISTINCT correction.image_id
FROM correction
JOIN correction_operation ON correction_operation.correction_id = correction.id
JOIN image ON image.id = correction.image_id
WHERE image.project_id = $project_id AND ended_at IS NULL AND correction_operation.created_at > $since
    AND author <> $person

-- name: operations
SELECT * FROM correction_operation WHERE correction_id = $id ORDER BY revision

-- name: names
SELECT id, name FROM image WHERE project_id = $project_id AND deleted_at IS NULL

-- name: last_revision
-- Of all drafts of an image, but one; revisions go on from one draft to the next.
SELECT coalesce(max(revision), 0) AS revision
FROM correction JOIN correction_operation ON correction_operation.correction_id = correction.id
WHERE image_id = $image_id AND ($but::VARCHAR IS NULL OR correction.id <> $but)

-- name: unfinished
SELECT
    list(author ORDER BY revision) AS authors, min(correction_operation.created_at) AS began_at,
    max(correction_operation.created_at) AS changed_at, count(*) AS n_changes, max(revision) AS revision
FROM correction JOIN correction_operation ON correction_operation.correction_id = correction.id
WHERE image_id = $image_id AND ended_at IS NULL

-- name: ended
-- The ended draft that has an operation, and who ended it: the audit knows who discarded one.
SELECT
    correction.id, correction.ended_at, correction.version_id IS NULL AS discarded,
    coalesce(
        (SELECT version.author FROM version WHERE version.id = correction.version_id),
        (
            SELECT max_by(who, sequence) FROM correction_audit
            WHERE correction_audit.image_id = $image_id AND action = 'discarded' AND contains(facts, correction.id)
        ),
        'somebody'
    ) AS ended_by
FROM correction JOIN correction_operation ON correction_operation.correction_id = correction.id
WHERE image_id = $image_id AND ended_at IS NOT NULL AND revision = $revision
ORDER BY ended_at DESC LIMIT 1

-- name: discarded
SELECT
    correction.id, list(author ORDER BY revision) AS authors,
    min(correction_operation.created_at) AS began_at, count(*) AS n_changes,
    coalesce((
        SELECT max_by(who, sequence) FROM correction_audit
        WHERE correction_audit.image_id = $image_id AND action = 'discarded' AND contains(facts, correction.id)
    ), 'somebody') AS discarded_by,
    correction.ended_at AS discarded_at
FROM correction JOIN correction_operation ON correction_operation.correction_id = correction.id
WHERE image_id = $image_id AND ended_at IS NOT NULL AND version_id IS NULL
    AND (parent_id IS NULL OR parent_id IN (SELECT version.id FROM version WHERE version.image_id = $image_id))
GROUP BY correction.id, correction.ended_at
ORDER BY correction.ended_at DESC

-- name: to_reopen
SELECT
    correction.parent_id IS NULL
    OR EXISTS (SELECT 1 FROM version WHERE version.id = correction.parent_id) AS has_parent
FROM correction JOIN image ON image.id = correction.image_id
WHERE correction.id = $id AND correction.image_id = $image_id AND correction.ended_at IS NOT NULL
    AND correction.version_id IS NULL AND image.deleted_at IS NULL

-- name: reopen
UPDATE correction SET ended_at = NULL WHERE id = $id

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
