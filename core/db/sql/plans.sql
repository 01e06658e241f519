-- name: typical
-- The project with the most images, and one of its images with a result, to try a statement on.
SELECT project_id, max(id) AS image_id, max_by(version_id, id) AS version_id
FROM image
WHERE deleted_at IS NULL
GROUP BY project_id
ORDER BY count(*) DESC
LIMIT 1
