-- Versions: results of images. They are added and, when their time is over, deleted; never changed.

-- name: in_force
SELECT version_id, deleted_at IS NOT NULL AS deleted FROM image WHERE id = $image_id

-- name: supersede
UPDATE version SET superseded_at = $now WHERE id IN (SELECT unnest($ids::VARCHAR[]))

-- name: reinstate
UPDATE version SET superseded_at = NULL WHERE id = $id

-- name: get
SELECT * FROM version WHERE id = $id

-- name: with_objects
SELECT
    version.*,
    (SELECT list(object ORDER BY object.number) FROM object WHERE object.version_id = $id) AS objects
FROM version WHERE id = $id

-- name: of_image
SELECT * FROM version WHERE image_id = $image_id ORDER BY created_at DESC, id DESC

-- name: pin
INSERT INTO pinned_version SELECT unnest($ids::VARCHAR[]), $pinned_by

-- name: unpin
DELETE FROM pinned_version WHERE pinned_by = $pinned_by

-- name: size
SELECT count(*) AS images, coalesce(sum(n_objects) FILTER (version_id IS NOT NULL), 0)::BIGINT AS objects
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR id IN (SELECT unnest($ids::VARCHAR[])))

-- name: project_objects
-- Every spheroid of a project's results in force, with its image.
SELECT
    image.name AS path, image.name AS image_name, image.um_per_px, image.um_per_px_source,
    image.review, image.review_reason,
    version.engine, version.engine_version, version.params, version.kind AS version_kind, object.*
FROM image
JOIN version ON version.id = image.version_id
JOIN object ON object.version_id = version.id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY image.name, image.id, object.number
LIMIT $limit

-- name: project_images
SELECT
    image.*, image.name AS path,
    version.engine, version.engine_version, version.params, version.kind AS version_kind
FROM image
LEFT JOIN version ON version.id = image.version_id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY image.name, image.id
LIMIT $limit
