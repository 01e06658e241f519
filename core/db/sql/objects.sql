-- Spheroids of the results in force, over a whole project. {where} and {order} come from core/store/objects.py.

-- name: page
-- The rows are found by the columns that narrow and sort; only one page of them is read in full.
WITH wanted AS (
    SELECT image.id AS image_id, object.version_id, object.number
    FROM image JOIN object ON object.version_id = image.version_id
    WHERE image.project_id = $project_id AND image.deleted_at IS NULL {where} AND {rows_after}
    ORDER BY {order} LIMIT $limit OFFSET $offset
)
SELECT
    image.id AS image_id, image.name AS image_name, image.um_per_px, image.review::VARCHAR AS review,
    image.review_reason, {value} AS key,
    object.* EXCLUDE (image_id, contour)
FROM wanted
JOIN image ON image.id = wanted.image_id
JOIN object ON object.version_id = wanted.version_id AND object.number = wanted.number
ORDER BY {order}

-- name: count
SELECT
    count(*) AS total, count(DISTINCT image.id) AS images, count(*) FILTER (NOT {rows_after}) AS before,
    count(*) FILTER (image.review = 'excluded') AS excluded
FROM image JOIN object ON object.version_id = image.version_id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL {where}

-- name: stream
-- The same rows as results.project_objects gives, in the order and of the filter of the table.
SELECT
    image.name AS path, image.name AS image_name, image.um_per_px, image.um_per_px_source,
    image.review, image.review_reason,
    version.engine, version.engine_version, version.params, version.kind AS version_kind, object.*
FROM image
JOIN version ON version.id = image.version_id
JOIN object ON object.version_id = version.id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL {where}
ORDER BY {order}
LIMIT $limit

-- name: bins
-- How many values lie in each of the equal parts between the least and the greatest; the last has both ends.
WITH wanted AS (
    SELECT {value} AS value
    FROM image JOIN object ON object.version_id = image.version_id
    WHERE image.project_id = $project_id AND image.deleted_at IS NULL AND image.review <> 'excluded' AND {value} IS NOT NULL {where}
),
spread AS (
    SELECT min(value) AS least, coalesce(nullif((max(value) - min(value)) / $bins, 0), 1) AS width FROM wanted
)
SELECT least, width, least(floor((value - least) / width), $bins - 1)::INTEGER AS bin, count(*) AS total
FROM wanted, spread
GROUP BY ALL
ORDER BY bin

-- name: points
-- Two columns of some spheroids: the same ones each time, as if drawn at random.
SELECT image.id AS image_id, image.name AS image_name, object.number, {x} AS x, {y} AS y
FROM image JOIN object ON object.version_id = image.version_id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL AND image.review <> 'excluded'
    AND {x} IS NOT NULL AND {y} IS NOT NULL {where}
ORDER BY hash(image.id, object.number)
LIMIT $limit

-- name: pixel_sizes
-- Whether there are images with spheroids whose pixel size is known, and others.
SELECT
    coalesce(bool_or(um_per_px IS NOT NULL), false) AS known, coalesce(bool_or(um_per_px IS NULL), false) AS unknown
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL AND n_objects > 0
