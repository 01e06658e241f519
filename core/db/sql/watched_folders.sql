-- name: all
SELECT project_id, folder FROM watched_folder

-- name: set
INSERT INTO watched_folder (project_id, folder, changed_by, changed_at)
VALUES ($project_id, $folder, $changed_by, $now)
ON CONFLICT (project_id) DO UPDATE SET folder = excluded.folder, changed_by = excluded.changed_by,
    changed_at = excluded.changed_at

-- name: purge
DELETE FROM watched_folder WHERE project_id IN (SELECT unnest($project_ids::VARCHAR[]))
