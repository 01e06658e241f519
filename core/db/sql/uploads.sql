-- Uploads: core/uploads says what becomes of a row.

-- name: add
-- Those of ``incoming`` that are not known yet.
INSERT INTO upload (
    id, project_id, key, batch, path, n_bytes, segment, requested_by, state, image_ids, created_at, dismissed
)
SELECT
    id, $project_id, key, $batch, path, n_bytes, $segment, $requested_by, 'waiting', '[]', $now, FALSE
FROM incoming
ON CONFLICT (id) DO NOTHING

-- name: get
SELECT * EXCLUDE (dismissed) FROM upload WHERE id = $id

-- name: of_ids
SELECT * EXCLUDE (dismissed) FROM upload WHERE id IN (SELECT unnest($ids::VARCHAR[]))

-- name: of_project
-- What has not been dismissed, the latest first.
SELECT * EXCLUDE (dismissed)
FROM upload
WHERE NOT dismissed AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
ORDER BY created_at DESC, path, id
LIMIT $limit

-- name: latest_of_batch
-- Those with a verdict first by when they got it; dismissed ones, too.
SELECT * EXCLUDE (dismissed) FROM upload
WHERE project_id = $project_id AND batch = $batch
ORDER BY coalesce(ended_at, created_at) DESC, path, id
LIMIT $limit

-- name: unfinished
-- Of all projects; not those whose project is gone, which nobody can go on with.
SELECT * EXCLUDE (dismissed) FROM upload WHERE state IN ('waiting', 'checking') ORDER BY created_at, id

-- name: projects
SELECT DISTINCT project_id FROM upload WHERE NOT dismissed

-- name: set_checking
UPDATE upload SET state = 'checking', sha256 = $sha256, n_bytes = $n_bytes WHERE id = $id AND ended_at IS NULL

-- name: set_waiting
UPDATE upload SET state = 'waiting', sha256 = NULL, code = $code, message = $message WHERE id = $id AND ended_at IS NULL

-- name: end
UPDATE upload
SET state = $state, code = $code, message = $message, image_ids = $image_ids, ended_at = $now
WHERE id = $id AND ended_at IS NULL

-- name: dismiss
UPDATE upload SET dismissed = TRUE
WHERE project_id = $project_id AND ended_at IS NOT NULL AND NOT dismissed

-- name: purge
DELETE FROM upload WHERE ended_at < $before AND batch <> $kept_batch

-- name: answered
SELECT answer FROM answered_request WHERE id = $id

-- name: add_answer
INSERT INTO answered_request (id, answer, created_at) VALUES ($id, $answer, $now)

-- name: purge_answers
DELETE FROM answered_request WHERE created_at < $before
