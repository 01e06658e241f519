-- A statement that changes images returns their id and project_id, or is run by Session.change with them: commit hooks
-- need to know which have changed.

-- {columns} are what lists of images hold, by core/listing/image_columns.py; {where} and {order} come from
-- core/listing/image_query.py. {summary} sets the columns that an image repeats of the version in force.

-- name: page
-- The ids are found first so that only one page of wide rows is read.
WITH image_row AS NOT MATERIALIZED (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL)
SELECT * EXCLUDE (project_id)
FROM image_row
WHERE project_id = $project_id AND id IN (
    SELECT id FROM image_row
    WHERE project_id = $project_id {where} AND {rows_after}
    ORDER BY {order} LIMIT $limit OFFSET $offset
)
ORDER BY {order}

-- name: count
WITH image_row AS NOT MATERIALIZED (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL)
SELECT count(*) AS total, count(*) FILTER (NOT {rows_after}) AS before
FROM image_row
WHERE project_id = $project_id {where}

-- name: ids
WITH image_row AS NOT MATERIALIZED (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL)
SELECT id FROM image_row WHERE project_id = $project_id {where} ORDER BY {order}

-- name: neighbours
WITH image_row AS NOT MATERIALIZED (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL),
ordered AS (
    SELECT
        id,
        lag(id) OVER place AS previous,
        lead(id) OVER place AS next,
        row_number() OVER place AS position,
        count(*) OVER () AS total
    FROM image_row
    WHERE project_id = $project_id {where}
    WINDOW place AS (ORDER BY {order})
)
SELECT previous, next, position, total FROM ordered WHERE id = $id

-- name: table
-- What the page index holds of a project; {codes} are its enums as small whole numbers, a byte a row.
SELECT * REPLACE ({codes})
FROM (SELECT {columns} FROM image WHERE project_id = $project_id AND deleted_at IS NULL)
ORDER BY id

-- name: table_of
-- The same of some images, wherever they are: with a condition more, they would not be looked up by their key.
SELECT * REPLACE ({codes})
FROM (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL AND id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY id

-- name: folded
-- A text in the case that names are compared in.
SELECT lower($text) AS text

-- name: get
-- The images of a deleted project have gone with it.
SELECT * FROM image
WHERE id = $id AND deleted_at IS NULL
    AND project_id IN (SELECT project.id FROM project WHERE project.deleted_at IS NULL)

-- name: project
-- Of any image that there is: it never changes.
SELECT project_id FROM image WHERE id = $id

-- name: known
SELECT id, deleted_at IS NOT NULL AS deleted FROM image WHERE id IN (SELECT unnest($ids::VARCHAR[]))

-- name: add
INSERT INTO image BY NAME SELECT * FROM incoming RETURNING id, project_id

-- name: set_requested
-- Images that have been requested to be segmented: from here on that request decides their status.
UPDATE image SET
    status = incoming.status::image_status, latest_request = incoming.request, error_code = NULL, error = NULL
FROM incoming WHERE image.id = incoming.id
RETURNING image.id, image.project_id

-- name: set_statuses
-- What has become of jobs, on those images for which nothing has been requested since.
UPDATE image SET status = incoming.status::image_status
FROM incoming WHERE image.id = incoming.id AND image.latest_request = incoming.request
RETURNING image.id, image.project_id

-- The next three run with every job. Only the key is a condition: with a second one DuckDB 2.0 reads the whole column
-- instead of looking the row up, which takes 8 to 80 ms at a million images instead of one.
-- An image has an error only while the last request is a failed one, so none has to be cleared here.

-- name: set_status
UPDATE image SET status = CASE WHEN latest_request = $request THEN $status::image_status ELSE status END
WHERE id = $id

-- name: set_failed
-- A result that is there stays in force, and the image says both.
UPDATE image SET
    status = CASE
        WHEN latest_request <> $request THEN status
        WHEN version_id IS NULL THEN 'failed'
        ELSE 'done'
    END::image_status,
    error_code = CASE WHEN latest_request = $request THEN $error_code ELSE error_code END,
    error = CASE WHEN latest_request = $request THEN $error ELSE error END
WHERE id = $id

-- name: set_in_force
-- A later request may still wait or run, or have failed.
UPDATE image SET
    status = CASE WHEN latest_request = $request OR status = 'failed' THEN 'done' ELSE status END::image_status,
    version_id = $version_id, review = CASE WHEN review = 'excluded' THEN review ELSE 'unseen' END, {summary}
WHERE id = $id

-- name: set_chosen
-- A version that a person has put in force. What still waits or runs goes on; an earlier failure is settled.
UPDATE image SET
    status = CASE WHEN status IN ('queued', 'running') THEN status ELSE 'done' END::image_status,
    error_code = NULL, error = NULL, version_id = version.id,
    review = CASE WHEN version.kind = 'corrected' THEN 'corrected' ELSE 'unseen' END::review_state,
    review_reason = NULL,
    reviewed_by = CASE WHEN version.kind = 'corrected' THEN version.author END,
    reviewed_at = CASE WHEN version.kind = 'corrected' THEN version.created_at END, {summary}
FROM version
WHERE image.id = $id AND version.id = $version_id
RETURNING image.id, image.project_id

-- name: set_review
UPDATE image SET
    review = $state::review_state, review_reason = $reason, reviewed_by = $reviewed_by, reviewed_at = $reviewed_at
WHERE id = $image_id
RETURNING image.id, image.project_id

-- name: settle
-- After jobs have been cancelled: images are what the last request that was not cancelled makes them.
UPDATE image SET
    latest_request = last.request,
    status = CASE
        WHEN last.job.state IN ('queued', 'running') THEN last.job.state::VARCHAR
        WHEN version_id IS NOT NULL THEN 'done'
        WHEN last.job.state = 'failed' THEN 'failed'
        ELSE 'new'
    END::image_status,
    error_code = CASE WHEN last.job.state = 'failed' THEN last.job.error_code END,
    error = CASE WHEN last.job.state = 'failed' THEN last.job.error END
FROM (
    SELECT
        cancelled.id, max(job.request) AS request,
        arg_max(
            struct_pack(state := job.state, error_code := job.error_code, error := job.error), job.request
        ) AS job
    FROM (SELECT DISTINCT unnest($ids::VARCHAR[]) AS id) AS cancelled
    LEFT JOIN job ON job.image_id = cancelled.id AND job.state <> 'cancelled'
    GROUP BY cancelled.id
) AS last
WHERE image.id = last.id AND image.status IN ('queued', 'running')
RETURNING image.id, image.project_id

-- name: own_settings
-- Of a project's images, those that have an engine and settings of their own.
SELECT id, own_engine AS engine, own_params AS params FROM image
WHERE project_id = $project_id AND own_engine IS NOT NULL AND deleted_at IS NULL
ORDER BY id

-- name: set_own_settings
-- Null for both: the images follow their project again.
UPDATE image SET own_engine = $engine, own_params = $params
WHERE project_id = $project_id AND id IN (SELECT unnest($ids::VARCHAR[])) AND deleted_at IS NULL
RETURNING id, project_id

-- name: set_pixel_size
-- A size that is taken back leaves the file's, else the project's.
UPDATE image SET
    um_per_px = coalesce($um_per_px, um_per_px_file, project.um_per_px),
    um_per_px_source = CASE
        WHEN $um_per_px IS NOT NULL THEN 'user'
        WHEN um_per_px_file IS NOT NULL THEN 'file'
        WHEN project.um_per_px IS NOT NULL THEN 'project'
    END::pixel_size_source,
    um_per_px_method = CASE
        WHEN $um_per_px IS NOT NULL THEN $method::pixel_size_method
        WHEN um_per_px_file IS NULL THEN project.um_per_px_method
    END
FROM project
WHERE project.id = image.project_id AND image.id IN (SELECT unnest($ids::VARCHAR[]))
RETURNING image.id, image.project_id

-- name: follow_project_pixel_size
-- Returns nothing: it may be every image, and the project's own statement says that it has changed.
UPDATE image SET
    um_per_px = $um_per_px,
    um_per_px_source = CASE WHEN $um_per_px IS NOT NULL THEN 'project' END::pixel_size_source,
    um_per_px_method = CASE WHEN $um_per_px IS NOT NULL THEN $method::pixel_size_method END
WHERE project_id = $project_id AND (um_per_px_source IS NULL OR um_per_px_source = 'project')

-- name: delete
UPDATE image SET deleted_at = $now, deleted_by = $deleted_by
WHERE project_id = $project_id AND id IN (SELECT unnest($ids::VARCHAR[])) AND deleted_at IS NULL
RETURNING id, project_id

-- name: restore
UPDATE image SET deleted_at = NULL, deleted_by = NULL
WHERE project_id = $project_id AND id IN (SELECT unnest($ids::VARCHAR[])) AND deleted_at IS NOT NULL
RETURNING id, project_id

-- name: purge
DELETE FROM image
WHERE deleted_at < $before OR list_contains($project_ids::VARCHAR[], project_id)
RETURNING id, project_id
