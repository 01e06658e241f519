-- What has been deleted and can still be restored.

-- name: items
-- Projects, and images of projects that are there: those of a deleted project come back with it.
SELECT *, count(*) OVER () AS total
FROM (
    SELECT
        'project' AS kind, project.id, project.name, project.id AS project_id, project.name AS project_name,
        (SELECT count(*) FROM image WHERE image.project_id = project.id AND image.deleted_at IS NULL) AS n_images,
        project.deleted_at, project.deleted_by
    FROM project
    WHERE project.deleted_at IS NOT NULL
    UNION ALL
    SELECT
        'image' AS kind, image.id, image.name, image.project_id, project.name AS project_name, 1 AS n_images,
        image.deleted_at, image.deleted_by
    FROM image JOIN project ON project.id = image.project_id
    WHERE image.deleted_at IS NOT NULL AND project.deleted_at IS NULL
) AS item
WHERE ($visible::VARCHAR[] IS NULL OR list_contains($visible::VARCHAR[], project_id))
    AND ($name = '' OR contains(lower(name), lower($name)) OR contains(lower(project_name), lower($name)))
ORDER BY deleted_at DESC, project_name, name, id
LIMIT $limit
