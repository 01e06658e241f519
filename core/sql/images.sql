-- name: page
-- {order} comes from an allow-list; the ids are found first so that only one page of wide rows is read.
SELECT image.*
FROM image
WHERE id IN (
    SELECT id FROM image
    WHERE project_id = $project_id AND deleted_at IS NULL
        AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status::VARCHAR))
        AND ($name::VARCHAR IS NULL OR contains(lower(name), lower($name)))
    ORDER BY {order} LIMIT $limit OFFSET $offset
)
ORDER BY {order}

-- name: count
SELECT count(*) AS total
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL
    AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status::VARCHAR))
    AND ($name::VARCHAR IS NULL OR contains(lower(name), lower($name)))

-- name: ids
SELECT id
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL
    AND ($status::VARCHAR[] IS NULL OR list_contains($status::VARCHAR[], status::VARCHAR))
    AND ($name::VARCHAR IS NULL OR contains(lower(name), lower($name)))
ORDER BY created_at, id

-- name: neighbours
WITH ordered AS (
    SELECT
        id,
        lag(id) OVER place AS previous,
        lead(id) OVER place AS next,
        row_number() OVER place AS position,
        count(*) OVER () AS total
    FROM image
    WHERE project_id = $project_id AND deleted_at IS NULL
    WINDOW place AS (ORDER BY {order})
)
SELECT previous, next, position, total FROM ordered WHERE id = $id

-- name: get
-- The images of a deleted project have gone with it.
SELECT * FROM image
WHERE id = $id AND deleted_at IS NULL
    AND project_id IN (SELECT project.id FROM project WHERE project.deleted_at IS NULL)

-- name: known
SELECT id, deleted_at IS NOT NULL AS deleted FROM image WHERE list_contains($ids::VARCHAR[], id)

-- name: add
INSERT INTO image BY NAME SELECT * FROM incoming

-- name: set_status
UPDATE image SET status = incoming.status, error_code = NULL, error = NULL
FROM incoming WHERE image.id = incoming.id

-- name: set_state
UPDATE image SET status = $status, error_code = $error_code, error = $error WHERE id = $id

-- name: settle
-- Back to what the image was before it was asked to be segmented.
UPDATE image SET status = CASE WHEN segmentation_id IS NULL THEN 'new' ELSE 'done' END::image_status
WHERE list_contains($ids::VARCHAR[], id) AND status IN ('queued', 'running')
    AND id NOT IN (SELECT job.image_id FROM job WHERE job.state IN ('queued', 'running'))

-- name: set_result
UPDATE image SET
    status = 'done', error_code = NULL, error = NULL, segmentation_id = $segmentation_id,
    n_objects = $n_objects, largest_diameter_px = $largest_diameter_px, largest_area_px = $largest_area_px,
    largest_circularity = $largest_circularity, seconds = $seconds
WHERE id = $id

-- name: set_pixel_size
-- A size that is taken back leaves the file's, else the project's.
UPDATE image SET
    um_per_px = coalesce($um_per_px, um_per_px_file, project.um_per_px),
    um_per_px_source = CASE
        WHEN $um_per_px IS NOT NULL THEN 'user'
        WHEN um_per_px_file IS NOT NULL THEN 'file'
        WHEN project.um_per_px IS NOT NULL THEN 'project'
    END::pixel_size_source
FROM project
WHERE project.id = image.project_id AND list_contains($ids::VARCHAR[], image.id)
RETURNING image.id

-- name: follow_project_pixel_size
UPDATE image SET
    um_per_px = $um_per_px,
    um_per_px_source = CASE WHEN $um_per_px IS NOT NULL THEN 'project' END::pixel_size_source
WHERE project_id = $project_id AND (um_per_px_source IS NULL OR um_per_px_source = 'project')

-- name: delete
UPDATE image SET deleted_at = $now
WHERE project_id = $project_id AND list_contains($ids::VARCHAR[], id) AND deleted_at IS NULL
RETURNING id

-- name: restore
UPDATE image SET deleted_at = NULL
WHERE project_id = $project_id AND list_contains($ids::VARCHAR[], id) AND deleted_at IS NOT NULL
RETURNING id

-- name: purge
DELETE FROM image
WHERE deleted_at < $before OR list_contains($project_ids::VARCHAR[], project_id)
RETURNING id

-- name: blobs
SELECT DISTINCT unnest([sha256, thumbnail_sha256]) AS sha256 FROM image
UNION
SELECT DISTINCT unnest([labels_sha256, thumbnail_sha256]) FROM segmentation

-- name: get_any
SELECT * FROM image WHERE id = $id
