-- What people did. There is no statement that changes or deletes a row.

-- name: add
INSERT INTO audit
VALUES (nextval('audit_sequence'), $done_at, $account_id, $name, $action, $project_id, $subject, $address)

-- name: page
SELECT audit.sequence, audit.done_at, audit.name, audit.action, project.name AS project, audit.subject, audit.address
FROM audit LEFT JOIN project ON project.id = audit.project_id
WHERE audit.sequence < coalesce($before::BIGINT, 9223372036854775807)
    AND ($action::VARCHAR IS NULL OR audit.action = $action)
    AND ($name::VARCHAR IS NULL OR contains(lower(audit.name), lower($name)))
ORDER BY audit.sequence DESC LIMIT $limit
