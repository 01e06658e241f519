-- name: made
-- Automatic versions by when they were made. Those that retention has deleted count no more.
WITH recent AS (
    SELECT id, image_id, created_at FROM version WHERE created_at > $since AND kind = 'automatic'
),
counted AS (
    SELECT version_id, count(*) AS spheroids FROM object
    WHERE version_id IN (SELECT id FROM recent)
    GROUP BY ALL
)
SELECT
    time_bucket(to_seconds($slot), recent.created_at) AS slot, project.id AS project_id, project.name AS project,
    count(*) AS images, sum(coalesce(counted.spheroids, 0))::BIGINT AS spheroids
FROM recent
JOIN image ON image.id = recent.image_id
JOIN project ON project.id = image.project_id
LEFT JOIN counted ON counted.version_id = recent.id
WHERE $project_id::VARCHAR IS NULL OR project.id = $project_id
GROUP BY ALL
ORDER BY slot, project, project_id

-- name: waits
-- Seconds from being asked for to being begun.
SELECT
    time_bucket(to_seconds($slot), started_at) AS slot, count(*) AS images,
    quantile_cont(epoch(started_at - created_at), 0.5) AS median_s,
    quantile_cont(epoch(started_at - created_at), 0.95) AS p95_s
FROM job
WHERE started_at > $since AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
GROUP BY ALL
ORDER BY slot

-- name: failures
SELECT error_code AS code, count(*) AS images
FROM job
WHERE state = 'failed' AND finished_at > $since
    AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
GROUP BY ALL
ORDER BY images DESC, code

-- name: refusals
-- Files that could not be added. Deleted projects count: their files were refused all the same.
SELECT code, count(*) AS files
FROM upload
WHERE state = 'refused' AND ended_at > $since AND ($project_id::VARCHAR IS NULL OR project_id = $project_id)
GROUP BY ALL
ORDER BY files DESC, code

-- name: overview
-- What is to be reviewed, and what was done in the last seven days and in the seven before.
WITH present AS (
    SELECT image.id, image.status, image.confidence, image.review FROM image
    JOIN project ON project.id = image.project_id
    WHERE image.deleted_at IS NULL AND project.deleted_at IS NULL
        AND ($project_id::VARCHAR IS NULL OR project.id = $project_id)
),
made AS (
    SELECT version.created_at FROM version JOIN present ON present.id = version.image_id
    WHERE version.kind = 'automatic' AND version.created_at > $before
),
ended AS (
    SELECT finished_at FROM job JOIN present ON present.id = job.image_id
    WHERE state = 'failed' AND finished_at > $before
)
SELECT
    (SELECT count(*) FROM present WHERE status = 'done' AND confidence < $look_below AND review IN ('unseen', 'unsure')) AS doubtful,
    (SELECT count(*) FROM present WHERE status = 'failed') AS without_result,
    (SELECT count(*) FROM made WHERE created_at > $since) AS images,
    (SELECT count(*) FROM made WHERE created_at <= $since) AS images_before,
    (SELECT count(*) FROM ended WHERE finished_at > $since) AS failed,
    (SELECT count(*) FROM ended WHERE finished_at <= $since) AS failed_before

-- name: jobs
SELECT state, count(*) AS total FROM job WHERE project_id = $project_id GROUP BY ALL
