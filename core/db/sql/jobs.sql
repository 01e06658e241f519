-- name: again
-- The same image, engine and parameters are the same job: one that has ended is queued anew.
UPDATE job SET
    state = 'queued', attempt = 0, crashes = 0, suspect = false, sequence = ordered.sequence, request = ordered.sequence,
    priority = $priority::job_priority, requested_by = $requested_by, turn = NULL,
    created_at = $now, started_at = NULL, finished_at = NULL, error_code = NULL, error = NULL
FROM (
    SELECT id, nextval('job_sequence') AS sequence
    FROM (
        SELECT incoming.id FROM incoming
        JOIN job ON job.id = incoming.id
        JOIN image ON image.id = incoming.image_id
        WHERE job.state IN ('done', 'failed', 'cancelled')
            AND image.project_id = $project_id AND image.deleted_at IS NULL
        ORDER BY incoming.place
    )
) AS ordered
WHERE job.id = ordered.id
RETURNING job.image_id, job.request, 'queued' AS status

-- name: repeat
-- A job that waits or runs, and that another one has been requested after, is the last one requested again. It
-- keeps its place.
UPDATE job SET request = ordered.sequence
FROM (
    SELECT id, nextval('job_sequence') AS sequence
    FROM (
        SELECT incoming.id FROM incoming
        JOIN job ON job.id = incoming.id
        JOIN image ON image.id = incoming.image_id
        WHERE job.state IN ('queued', 'running') AND job.request < image.latest_request
            AND image.project_id = $project_id AND image.deleted_at IS NULL
        ORDER BY incoming.place
    )
) AS ordered
WHERE job.id = ordered.id
RETURNING job.image_id, job.request, job.state::VARCHAR AS status

-- name: add
INSERT INTO job (
    id, image_id, project_id, state, sequence, request, attempt, crashes, suspect, priority, requested_by,
    engine, engine_version, params, created_at
)
SELECT
    id, image_id, $project_id, 'queued', sequence, sequence, 0, 0, false, $priority::job_priority, $requested_by,
    engine, engine_version, params, $now
FROM (
    SELECT *, nextval('job_sequence') AS sequence
    FROM (
        SELECT incoming.* FROM incoming
        JOIN image ON image.id = incoming.image_id
        WHERE image.project_id = $project_id AND image.deleted_at IS NULL
            AND incoming.id NOT IN (SELECT job.id FROM job)
        ORDER BY incoming.place
    )
)
RETURNING image_id, request, 'queued' AS status

-- name: waiting
SELECT count(*) AS total FROM job WHERE state = 'queued'

-- name: claim
UPDATE job SET
    state = 'running', attempt = $attempt, boot_id = $boot_id, worker = $worker,
    started_at = $started_at, finished_at = NULL
WHERE id = $id AND state = 'queued' AND attempt = $attempt - 1

-- name: finish
-- No row changes if the job has been cancelled or claimed again meanwhile: its result is thrown away. The
-- sequence tells apart two first attempts, of the job as it was first requested and as it was requested anew.
UPDATE job SET state = 'done', suspect = false, finished_at = $now, timings_ms = $timings_ms
WHERE id = $id AND state = 'running' AND attempt = $attempt AND sequence = $sequence AND request = $request

-- name: running_request
SELECT request FROM job
WHERE id = $id AND state = 'running' AND attempt = $attempt AND sequence = $sequence

-- name: fail
UPDATE job SET state = 'failed', suspect = false, finished_at = $now, error_code = $error_code, error = $error
WHERE id = $id AND state = 'running' AND attempt = $attempt AND sequence = $sequence
RETURNING image_id, project_id, request

-- name: put_back
UPDATE job SET
    state = 'queued', suspect = $suspect, crashes = crashes + $crashes, sequence = nextval('job_sequence'),
    turn = NULL, error_code = $error_code, error = $error
WHERE id = $id AND state = 'running' AND attempt = $attempt AND sequence = $sequence
RETURNING image_id, project_id, request

-- name: give_back
-- At a shutdown: the program stopped the job, not the job the program, so this try does not count.
UPDATE job SET state = 'queued', attempt = attempt - 1, started_at = NULL
WHERE state = 'running' AND boot_id = $boot_id
RETURNING image_id, request

-- name: release
UPDATE job SET state = 'queued', attempt = attempt - 1, started_at = NULL
WHERE id = $id AND state = 'running' AND attempt = $attempt AND sequence = $sequence
RETURNING image_id, project_id, request

-- name: orphans
UPDATE job SET crashes = crashes + 1 WHERE state = 'running' RETURNING image_id, request

-- name: requeue_orphans
UPDATE job SET state = 'queued', suspect = true WHERE state = 'running' AND crashes < $max_crashes

-- name: fail_orphans
UPDATE job SET
    state = 'failed', suspect = false, finished_at = $now, error_code = $error_code, error = $error
WHERE state = 'running' AND crashes >= $max_crashes
RETURNING image_id, project_id, request

-- name: cancel
UPDATE job SET state = 'cancelled', suspect = false, finished_at = $now
WHERE state IN ('queued', 'running')
    AND ($ids::VARCHAR[] IS NULL OR id IN (SELECT unnest($ids::VARCHAR[])))
    AND ($image_ids::VARCHAR[] IS NULL OR list_contains($image_ids::VARCHAR[], image_id))
    AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
    AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id))
RETURNING image_id

-- name: cancel_state
UPDATE job SET state = 'cancelled', suspect = false, finished_at = $now
WHERE state = $state::job_state AND state IN ('queued', 'running')
    AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id))
RETURNING image_id

-- name: retry
UPDATE job SET
    state = 'queued', attempt = 0, crashes = 0, suspect = false, sequence = ordered.sequence, request = ordered.sequence,
    turn = NULL, finished_at = NULL, error_code = NULL, error = NULL
FROM (
    SELECT id, nextval('job_sequence') AS sequence
    FROM (
        SELECT job.id FROM job
        JOIN image ON image.id = job.image_id
        JOIN project ON project.id = image.project_id
        WHERE job.state = 'failed' AND ($ids::VARCHAR[] IS NULL OR job.id IN (SELECT unnest($ids::VARCHAR[])))
            AND image.deleted_at IS NULL AND project.deleted_at IS NULL
            AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], job.project_id))
        ORDER BY job.sequence
    )
) AS ordered
WHERE job.id = ordered.id
RETURNING job.image_id, job.request, 'queued' AS status

-- name: prioritise
UPDATE job SET priority = $priority::job_priority, turn = NULL
WHERE state = 'queued' AND ($ids::VARCHAR[] IS NULL OR id IN (SELECT unnest($ids::VARCHAR[])))
    AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id))
RETURNING id

-- name: leave_turns
-- What a person has waiting at one priority is placed anew, in the order of sequence.
UPDATE job SET turn = NULL
WHERE state = 'queued' AND priority = $priority::job_priority AND turn IS NOT NULL
    AND coalesce(requested_by, '') IN (
        SELECT coalesce(requested_by, '') FROM job WHERE state = 'queued' AND turn IS NULL
    )

-- name: take_turns
-- A person's jobs that have no turn yet follow the last one of that person, at the same priority; whoever has none
-- there begins with the lowest turn that waits, or behind those that run. Nobody's name is a person as well.
UPDATE job SET turn = placed.turn
FROM (
    SELECT
        fresh.id,
        greatest(coalesce(own.last + 1, 1), coalesce(next.turn, 1))
        + row_number() OVER (PARTITION BY fresh.requested_by, fresh.priority ORDER BY fresh.sequence) - 1 AS turn
    FROM (SELECT * FROM job WHERE state = 'queued' AND turn IS NULL) AS fresh
    LEFT JOIN (
        SELECT requested_by, priority, max(turn) AS last FROM job WHERE state IN ('queued', 'running')
        GROUP BY requested_by, priority
    ) AS own ON own.requested_by IS NOT DISTINCT FROM fresh.requested_by AND own.priority = fresh.priority
    LEFT JOIN (
        SELECT priority, coalesce(min(turn) FILTER (state = 'queued'), max(turn) + 1) AS turn
        FROM job WHERE state IN ('queued', 'running') GROUP BY priority
    ) AS next ON next.priority = fresh.priority
) AS placed
WHERE job.id = placed.id

-- name: page
SELECT
    job.*, image.name AS image_name, image.sha256, image.page,
    image.width, image.height, image.channels, image.dtype, image.n_bytes
FROM (
    SELECT * FROM job
    WHERE ($state::VARCHAR IS NULL OR state::VARCHAR = $state)
        AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
        AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id)) AND {rows_after}
    ORDER BY {order} LIMIT $limit OFFSET $offset
) AS job
JOIN image ON image.id = job.image_id
ORDER BY {order}

-- name: ids
SELECT id FROM job
WHERE state = $state::job_state AND id NOT IN (SELECT unnest($without::VARCHAR[]))
    AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id))
    AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
ORDER BY sequence

-- name: count
SELECT
    count(*) AS total,
    count(*) FILTER (NOT {rows_after}) AS before,
    $project_id::VARCHAR IS NULL
    OR $project_id IN (
        SELECT project.id FROM project
        WHERE project.deleted_at IS NULL
            AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project.id))
    ) AS there
FROM job
WHERE ($state::VARCHAR IS NULL OR state::VARCHAR = $state)
    AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
    AND ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id))

-- name: totals
SELECT
    state::VARCHAR AS state, count(*) AS total,
    count(*) FILTER (finished_at > $since) AS recent,
    min(started_at) FILTER (finished_at > $since) AS recent_from
FROM job WHERE ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id)) GROUP BY state
