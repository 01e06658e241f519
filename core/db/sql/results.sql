-- name: drop
DELETE FROM segmentation WHERE id = $id

-- name: drop_objects
DELETE FROM object WHERE segmentation_id = $id

-- name: get
SELECT * FROM segmentation WHERE id = $id

-- name: with_objects
-- A segmentation and its spheroids, told together.
SELECT
    segmentation.*,
    (SELECT list(object ORDER BY object.number) FROM object WHERE object.segmentation_id = $id) AS objects
FROM segmentation WHERE id = $id

-- name: size
SELECT count(*) AS images, coalesce(sum(n_objects) FILTER (segmentation_id IS NOT NULL), 0)::BIGINT AS objects
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR id IN (SELECT unnest($ids::VARCHAR[])))

-- name: project_objects
-- Every spheroid of a project's results in force, with its image.
SELECT
    image.name AS image_name, image.um_per_px, image.um_per_px_source, segmentation.engine, segmentation.engine_version,
    object.*
FROM image
JOIN segmentation ON segmentation.id = image.segmentation_id
JOIN object ON object.segmentation_id = segmentation.id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY image.name, image.id, object.number
LIMIT $limit

-- name: project_images
SELECT
    image.*, segmentation.engine, segmentation.engine_version, segmentation.params
FROM image
LEFT JOIN segmentation ON segmentation.id = image.segmentation_id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY image.name, image.id
LIMIT $limit

-- name: purge
DELETE FROM segmentation WHERE list_contains($image_ids::VARCHAR[], image_id)

-- name: purge_objects
DELETE FROM object WHERE list_contains($image_ids::VARCHAR[], image_id)
