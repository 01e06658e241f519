-- Who may look at, edit and own which project; and links by which anybody may look at one.

-- name: of_account
SELECT project_id, level FROM project_member WHERE account_id = $account_id

-- name: of_project
SELECT project_member.account_id, account.name, account.role, project_member.level, account.disabled_at
FROM project_member JOIN account ON account.id = project_member.account_id
WHERE project_member.project_id = $project_id
ORDER BY project_member.level DESC, lower(account.name)

-- name: owners
SELECT account_id FROM project_member WHERE project_id = $project_id AND level = 'own'

-- name: add
INSERT INTO project_member VALUES ($project_id, $account_id, $level::project_level, $now)

-- name: remove
DELETE FROM project_member WHERE project_id = $project_id AND account_id = $account_id
RETURNING account_id

-- name: add_link
INSERT INTO project_link (id, secret_sha256, project_id, created_by, created_at, expires_at)
VALUES ($id, $secret_sha256, $project_id, $created_by, $now, $expires_at)

-- name: link
SELECT id, secret_sha256, project_id, created_by, created_at, expires_at FROM project_link
WHERE id = $id AND revoked_at IS NULL AND expires_at > $now

-- name: links
SELECT id, secret_sha256, project_id, created_by, created_at, expires_at FROM project_link
WHERE project_id = $project_id AND revoked_at IS NULL AND expires_at > $now
ORDER BY created_at DESC

-- name: revoke_link
UPDATE project_link SET revoked_at = $now WHERE id = $id AND project_id = $project_id RETURNING id

-- name: projects_of_images
-- One statement whether the images exist or not, so that both take as long.
SELECT id, project_id FROM image WHERE id IN (SELECT unnest($ids::VARCHAR[]))

-- name: name_of_image
SELECT name FROM image WHERE id = $id

-- name: waiting
SELECT count(*) AS total FROM job WHERE state = 'queued' AND requested_by = $name

-- name: bytes_of_account
-- What the files of the projects that an account owns take on the disk; a file counts once a project.
SELECT coalesce(sum(n_bytes), 0)::BIGINT AS n_bytes
FROM (
    SELECT DISTINCT project_id, sha256, n_bytes FROM image
    WHERE project_id IN (
        SELECT project_id FROM project_member WHERE account_id = $account_id AND level = 'own'
    )
)
