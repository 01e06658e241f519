-- name: images
-- A batch by name, from behind the last one of the batch before: nothing stays open while files are written.
SELECT
    image.*, image.name AS path, version.engine, version.engine_version, version.params,
    version.kind AS version_kind, version.labels_sha256
FROM image
LEFT JOIN version ON version.id = image.version_id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
    AND ($name::VARCHAR IS NULL OR (image.name, image.id) > ($name, $id))
ORDER BY image.name, image.id
LIMIT $limit

-- name: objects
SELECT object.* EXCLUDE (contour), CASE WHEN $contours THEN object.contour END AS contour
FROM object
WHERE object.version_id IN (SELECT unnest($version_ids::VARCHAR[]))
ORDER BY object.version_id, object.number
