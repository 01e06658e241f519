-- Of a statement that changes images, those who follow commits must learn which: it returns id and project_id, or is
-- run by Session.change, which is told them.

-- {columns} are what lists of images hold, by core/listing/image_columns.py; {where} and {order} come from
-- core/listing/image_query.py.

-- name: page
-- The ids are found first so that only one page of wide rows is read.
WITH image_row AS NOT MATERIALIZED (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL)
SELECT * EXCLUDE (project_id)
FROM image_row
WHERE project_id = $project_id AND id IN (
    SELECT id FROM image_row
    WHERE project_id = $project_id {where} AND {behind}
    ORDER BY {order} LIMIT $limit OFFSET $offset
)
ORDER BY {order}

-- name: count
WITH image_row AS NOT MATERIALIZED (SELECT project_id, {columns} FROM image WHERE deleted_at IS NULL)
SELECT count(*) AS total, count(*) FILTER (NOT {behind}) AS before
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

-- name: set_status
UPDATE image SET status = incoming.status, error_code = NULL, error = NULL
FROM incoming WHERE image.id = incoming.id
RETURNING image.id, image.project_id

-- name: set_state
UPDATE image SET status = $status, error_code = $error_code, error = $error WHERE id = $id

-- name: settle
-- Back to what the image was before it was asked to be segmented.
UPDATE image SET status = CASE WHEN segmentation_id IS NULL THEN 'new' ELSE 'done' END::image_status
WHERE id IN (SELECT unnest($ids::VARCHAR[])) AND status IN ('queued', 'running')
    AND id NOT IN (SELECT job.image_id FROM job WHERE job.state IN ('queued', 'running'))
RETURNING id, project_id

-- name: set_result
UPDATE image SET
    status = 'done', error_code = NULL, error = NULL, segmentation_id = $segmentation_id,
    n_objects = $n_objects, largest_diameter_px = $largest_diameter_px, largest_area_px = $largest_area_px,
    largest_circularity = $largest_circularity, seconds = $seconds, confidence = $confidence
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
WHERE project.id = image.project_id AND image.id IN (SELECT unnest($ids::VARCHAR[]))
RETURNING image.id, image.project_id

-- name: follow_project_pixel_size
-- Returns nothing: it may be every image, and the project's own statement says that it has changed.
UPDATE image SET
    um_per_px = $um_per_px,
    um_per_px_source = CASE WHEN $um_per_px IS NOT NULL THEN 'project' END::pixel_size_source
WHERE project_id = $project_id AND (um_per_px_source IS NULL OR um_per_px_source = 'project')

-- name: delete
UPDATE image SET deleted_at = $now
WHERE project_id = $project_id AND id IN (SELECT unnest($ids::VARCHAR[])) AND deleted_at IS NULL
RETURNING id, project_id

-- name: restore
UPDATE image SET deleted_at = NULL
WHERE project_id = $project_id AND id IN (SELECT unnest($ids::VARCHAR[])) AND deleted_at IS NOT NULL
RETURNING id, project_id

-- name: purge
DELETE FROM image
WHERE deleted_at < $before OR list_contains($project_ids::VARCHAR[], project_id)
RETURNING id, project_id

-- name: blobs
SELECT DISTINCT unnest([sha256, thumbnail_sha256]) AS sha256 FROM image
UNION
SELECT DISTINCT unnest([labels_sha256, thumbnail_sha256, coalesce(maps_sha256, labels_sha256)]) FROM segmentation
