-- Stored files, as images and versions name them.

-- name: named
-- Every file that an image or one of its versions needs, deleted images included: they can be restored.
WITH named AS (
    SELECT id AS image_id, sha256, 'original' AS kind FROM image
    UNION ALL SELECT id, thumbnail_sha256, 'thumbnail' FROM image
    UNION ALL SELECT image_id, labels_sha256, 'outlines' FROM version
    UNION ALL SELECT image_id, thumbnail_sha256, 'outlined thumbnail' FROM version
    UNION ALL SELECT image_id, maps_sha256, 'maps' FROM version WHERE maps_sha256 IS NOT NULL
)
SELECT named.sha256, named.kind, image.name AS image_name, project.name AS project_name
FROM named
JOIN image ON image.id = named.image_id
JOIN project ON project.id = image.project_id
ORDER BY project.name, image.name, image.id, named.kind, named.sha256
