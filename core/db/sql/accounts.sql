-- People's accounts, the links by which they choose a password, and their memberships of projects.

-- name: list
SELECT id, name, role, password_hash IS NOT NULL AS has_password, created_at, disabled_at
FROM account ORDER BY lower(name)

-- name: get
SELECT id, name, role, password_hash IS NOT NULL AS has_password, created_at, disabled_at
FROM account WHERE id = $id

-- name: named
SELECT id, name, role, password_hash, password_hash IS NOT NULL AS has_password, created_at, disabled_at
FROM account WHERE lower(name) = lower($name)

-- name: admins
SELECT count(*) AS total FROM account WHERE role = 'admin' AND disabled_at IS NULL

-- name: add
INSERT INTO account (id, name, role, password_hash, created_at)
VALUES ($id, $name, $role::account_role, $password_hash, $now)

-- name: set_role
UPDATE account SET role = $role::account_role WHERE id = $id RETURNING id

-- name: set_password
UPDATE account SET password_hash = $password_hash WHERE id = $id RETURNING id

-- name: disable
UPDATE account SET disabled_at = $now WHERE id = $id RETURNING id

-- name: enable
UPDATE account SET disabled_at = NULL WHERE id = $id RETURNING id

-- name: adopt
-- What belonged to nobody, because there were no accounts, belongs to the first admin.
INSERT INTO project_member
SELECT id, $account_id, 'own'::project_level, $now FROM project
WHERE id NOT IN (SELECT project_id FROM project_member)

-- name: add_password_link
INSERT INTO password_link (id, secret_sha256, account_id, created_at, expires_at)
VALUES ($id, $secret_sha256, $account_id, $now, $expires_at)

-- name: password_link
SELECT id, secret_sha256, account_id FROM password_link
WHERE id = $id AND used_at IS NULL AND expires_at > $now

-- name: use_password_link
UPDATE password_link SET used_at = $now WHERE id = $id AND used_at IS NULL RETURNING id

-- name: drop_password_links
-- A newer link, or a password that was chosen, makes the earlier links of an account useless.
UPDATE password_link SET used_at = $now
WHERE used_at IS NULL AND account_id IS NOT DISTINCT FROM $account_id::VARCHAR
RETURNING id
