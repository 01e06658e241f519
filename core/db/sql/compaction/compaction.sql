-- The database written anew: ``old`` is attached beside ``fresh``. Named by table and order.

-- name: project_image
INSERT INTO fresh.image SELECT * FROM old.image ORDER BY project_id, created_at DESC, id

-- name: project_version
INSERT INTO fresh.version
SELECT version.*
FROM old.version AS version LEFT JOIN old.image AS image ON image.id = version.image_id
ORDER BY image.project_id, image.created_at DESC, version.image_id, version.id

-- name: project_object
INSERT INTO fresh.object
SELECT object.*
FROM old.object AS object LEFT JOIN old.image AS image ON image.id = object.image_id
ORDER BY image.project_id, image.created_at DESC, object.image_id, object.version_id, object.number

-- name: project_job
INSERT INTO fresh.job SELECT * FROM old.job ORDER BY sequence, id

-- name: added_image
INSERT INTO fresh.image SELECT * FROM old.image ORDER BY created_at, id

-- name: added_version
INSERT INTO fresh.version SELECT * FROM old.version ORDER BY created_at, id

-- name: added_object
INSERT INTO fresh.object
SELECT object.*
FROM old.object AS object LEFT JOIN old.version AS version ON version.id = object.version_id
ORDER BY version.created_at, object.version_id, object.number

-- name: added_job
INSERT INTO fresh.job SELECT * FROM old.job ORDER BY sequence, id

-- name: other
-- A table that is not read by range: in the order that it has.
INSERT INTO fresh.{table} SELECT * FROM old.{table}

-- name: tables
SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' ORDER BY table_name

-- name: content
-- The same for the same rows, in whatever order they lie.
SELECT count(*), bit_xor(hash(rows)), sum(hash(rows) % 1000000007) FROM {database}.{table} AS rows
