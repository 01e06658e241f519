-- Sessions of people in browsers, and tokens of their scripts.

-- name: add
INSERT INTO session (id, secret_sha256, account_id, link_id, created_at, seen_at, address, browser)
VALUES ($id, $secret_sha256, $account_id, $link_id, $now, $now, $address, $browser)

-- name: get
SELECT id, secret_sha256, account_id, link_id, created_at, seen_at, address, browser
FROM session WHERE id = $id AND ended_at IS NULL

-- name: of_account
SELECT id, secret_sha256, account_id, link_id, created_at, seen_at, address, browser
FROM session WHERE account_id = $account_id AND ended_at IS NULL AND seen_at > $since
ORDER BY seen_at DESC

-- name: seen
UPDATE session SET seen_at = $now WHERE id = $id RETURNING id

-- name: end
UPDATE session SET ended_at = $now
WHERE id = $id AND ended_at IS NULL AND ($account_id::VARCHAR IS NULL OR account_id = $account_id)
RETURNING id

-- name: end_all
UPDATE session SET ended_at = $now
WHERE account_id = $account_id AND ended_at IS NULL AND id IS DISTINCT FROM $without::VARCHAR
RETURNING id

-- name: forget
DELETE FROM session WHERE ended_at < $before OR seen_at < $before RETURNING id

-- name: add_token
INSERT INTO api_token (id, secret_sha256, account_id, name, scope, project_id, created_at, expires_at)
VALUES ($id, $secret_sha256, $account_id, $name, $scope, $project_id, $now, $expires_at)

-- name: token
SELECT id, secret_sha256, account_id, name, scope, project_id, created_at, expires_at
FROM api_token WHERE id = $id AND revoked_at IS NULL

-- name: tokens_of_account
SELECT id, secret_sha256, account_id, name, scope, project_id, created_at, expires_at
FROM api_token WHERE account_id = $account_id AND revoked_at IS NULL AND expires_at > $now
ORDER BY created_at DESC

-- name: revoke_token
UPDATE api_token SET revoked_at = $now
WHERE id = $id AND account_id = $account_id AND revoked_at IS NULL
RETURNING id

-- name: revoke_tokens
UPDATE api_token SET revoked_at = $now WHERE account_id = $account_id AND revoked_at IS NULL RETURNING id
