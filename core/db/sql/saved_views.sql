-- name: of_project
SELECT id, name, query, created_by, created_at FROM saved_view WHERE project_id = $project_id
ORDER BY lower(name), id

-- name: same_name
SELECT id FROM saved_view WHERE project_id = $project_id AND lower(name) = lower($name)

-- name: add
INSERT INTO saved_view (id, project_id, name, query, created_by, created_at)
VALUES ($id, $project_id, $name, $query, $created_by, $now)

-- name: delete
DELETE FROM saved_view WHERE project_id = $project_id AND id = $id RETURNING id

-- name: purge
DELETE FROM saved_view WHERE project_id IN (SELECT unnest($project_ids::VARCHAR[]))
