-- name: again
-- The same image, engine and parameters are the same job: one that has ended is queued anew.
UPDATE job SET
    state = 'queued', attempt = 0, suspect = false, sequence = nextval('job_sequence'),
    created_at = $now, started_at = NULL, finished_at = NULL, error_code = NULL, error = NULL
FROM incoming
WHERE job.id = incoming.id AND job.state IN ('done', 'failed', 'cancelled')
RETURNING job.image_id

-- name: add
INSERT INTO job (id, image_id, project_id, state, sequence, attempt, suspect, engine, engine_version, params, created_at)
SELECT id, image_id, project_id, 'queued', nextval('job_sequence'), 0, false, engine, engine_version, params, $now
FROM incoming
WHERE id NOT IN (SELECT job.id FROM job)
RETURNING image_id

-- name: waiting
SELECT count(*) AS total FROM job WHERE state = 'queued'

-- name: claim
-- Orphans of a crash first, then in the order of asking; never by the clock.
UPDATE job SET
    state = 'running', attempt = attempt + 1, boot_id = $boot_id, worker = $worker,
    started_at = $now, finished_at = NULL
WHERE id = (SELECT id FROM job WHERE state = 'queued' ORDER BY suspect DESC, sequence LIMIT 1)
RETURNING *

-- name: get
SELECT * FROM job WHERE id = $id

-- name: finish
-- No row comes back if the job has been cancelled or claimed again meanwhile: its result is thrown away.
UPDATE job SET state = 'done', suspect = false, finished_at = $now, timings_ms = $timings_ms
WHERE id = $id AND state = 'running' AND attempt = $attempt
RETURNING id

-- name: fail
UPDATE job SET state = 'failed', suspect = false, finished_at = $now, error_code = $error_code, error = $error
WHERE id = $id AND state = 'running' AND attempt = $attempt
RETURNING image_id

-- name: put_back
UPDATE job SET
    state = 'queued', suspect = false, sequence = nextval('job_sequence'),
    error_code = $error_code, error = $error
WHERE id = $id AND state = 'running' AND attempt = $attempt
RETURNING image_id

-- name: orphans
SELECT id, image_id, attempt FROM job WHERE state = 'running'

-- name: requeue_orphans
UPDATE job SET state = 'queued', suspect = true WHERE state = 'running' AND attempt < $max_attempts

-- name: fail_orphans
UPDATE job SET
    state = 'failed', suspect = false, finished_at = $now, error_code = $error_code, error = $error
WHERE state = 'running' AND attempt >= $max_attempts
RETURNING image_id

-- name: cancel
UPDATE job SET state = 'cancelled', suspect = false, finished_at = $now
WHERE state IN ('queued', 'running')
    AND ($ids::VARCHAR[] IS NULL OR list_contains($ids::VARCHAR[], id))
    AND ($image_ids::VARCHAR[] IS NULL OR list_contains($image_ids::VARCHAR[], image_id))
    AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
RETURNING image_id

-- name: retry
UPDATE job SET
    state = 'queued', attempt = 0, suspect = false, sequence = nextval('job_sequence'),
    finished_at = NULL, error_code = NULL, error = NULL
WHERE state = 'failed' AND ($ids::VARCHAR[] IS NULL OR list_contains($ids::VARCHAR[], id))
RETURNING image_id

-- name: page
SELECT job.*, image.name AS image_name, image.sha256, image.page
FROM (
    SELECT * FROM job
    WHERE ($state::VARCHAR IS NULL OR state::VARCHAR = $state)
        AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
    ORDER BY {order} LIMIT $limit OFFSET $offset
) AS job
JOIN image ON image.id = job.image_id
ORDER BY {order}

-- name: count
SELECT count(*) AS total FROM job
WHERE ($state::VARCHAR IS NULL OR state::VARCHAR = $state)
    AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)

-- name: totals
SELECT
    state::VARCHAR AS state, count(*) AS total,
    count(*) FILTER (finished_at > $since) AS recent,
    min(started_at) FILTER (finished_at > $since) AS recent_from
FROM job GROUP BY state

-- name: purge
DELETE FROM job WHERE list_contains($image_ids::VARCHAR[], image_id)
