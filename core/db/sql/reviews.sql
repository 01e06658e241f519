-- What people say of results, and what is known of images to put them into the order of the queue.

-- name: add
INSERT INTO review
VALUES ($image_id, $version_id, $corrected_id, $state, $reason, $reviewed_by, $reviewed_at, $at_random, $seconds)

-- name: last_of
-- The last two words on a version, the latest first, and how that came about.
SELECT
    review.state::VARCHAR AS state, review.reason, review.reviewed_by, review.reviewed_at, review.at_random,
    version.kind::VARCHAR AS kind, version.author, version.created_at AS made_at
FROM review LEFT JOIN version ON version.id = review.version_id
WHERE review.image_id = $image_id AND review.version_id IS NOT DISTINCT FROM $version_id
ORDER BY review.reviewed_at DESC, review.rowid DESC LIMIT 2

-- name: waiting
-- Images with a result that nobody has looked at, and those of which somebody was unsure; without those whose
-- correction another person has changed since a moment.
SELECT
    id, name, version_id, confidence, n_objects, review::VARCHAR AS review, reviewed_by, edge_blur, specks,
    (
        SELECT median(every.specks) FROM image AS every
        WHERE every.project_id = $project_id AND every.deleted_at IS NULL
    ) AS usual_specks,
    (SELECT project.spheroids_expected FROM project WHERE project.id = $project_id) AS spheroids_expected
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL AND version_id IS NOT NULL
    AND review IN ('unseen', 'unsure')
    AND ($since::TIMESTAMP IS NULL OR id NOT IN (
        SELECT correction.image_id
        FROM correction
        JOIN correction_operation ON correction_operation.correction_id = correction.id
        WHERE ended_at IS NULL AND correction_operation.created_at > $since AND author <> $person
    ))

-- name: first_waiting
-- Of the images that wait, the first $most of those drawn at random and of the others, in the order of
-- core/corrections/review_order.py, those of $ids, and how many wait in all. A test holds the two equal.
WITH project_facts AS (
    SELECT
        (SELECT spheroids_expected::VARCHAR FROM project WHERE id = $project_id) AS spheroids_expected,
        median(specks) AS usual_specks
    FROM image WHERE project_id = $project_id AND deleted_at IS NULL
),
waiting AS (
    SELECT
        image.id, name, version_id, confidence, n_objects, review::VARCHAR AS review, reviewed_by, edge_blur, specks,
        usual_specks, spheroids_expected,
        ('0x' || substr(sha256('review ' || image.id), 1, 16))::UBIGINT AS lot
    FROM image CROSS JOIN project_facts
    WHERE project_id = $project_id AND deleted_at IS NULL AND version_id IS NOT NULL
        AND (review = 'unseen' OR (review = 'unsure' AND (
            $but_unsure_of::VARCHAR IS NULL OR reviewed_by IS DISTINCT FROM $but_unsure_of OR image.id = $named
        )))
),
ranked AS MATERIALIZED (
    SELECT
        *, lot % $random_share = 0 AS drawn,
        coalesce(
            n_objects = 0
            OR (n_objects > 1 AND coalesce(spheroids_expected, 'one') = 'one')
            OR (n_objects = 1 AND spheroids_expected = 'several')
            OR confidence < $doubtful_below
            OR edge_blur > $blurred
            OR specks > greatest($many_specks, $specks_times * usual_specks)
            OR review = 'unsure', false
        ) AS flagged
    FROM waiting
),
chosen AS (
    (SELECT * FROM ranked WHERE drawn ORDER BY lot LIMIT $most)
    UNION
    (
        SELECT * FROM ranked WHERE NOT drawn
        ORDER BY review = 'unsure', n_objects > 0, NOT flagged, coalesce(confidence, 0.0), id LIMIT $most
    )
    UNION
    SELECT * FROM ranked WHERE list_contains($ids::VARCHAR[], id)
)
SELECT
    id, name, version_id, confidence, n_objects, review, reviewed_by, edge_blur, specks, usual_specks,
    spheroids_expected, (SELECT count(*) FROM ranked) AS total
FROM chosen

-- name: progress
SELECT review::VARCHAR AS review, count(*) AS total
FROM image
WHERE project_id = $project_id AND deleted_at IS NULL AND version_id IS NOT NULL
GROUP BY review

-- name: judged
-- The last word on each automatic result of the images that are drawn at random. A result that is gone was an
-- automatic one: others are never deleted but with their image. Of which engine it was is then not known.
SELECT
    review.state::VARCHAR AS state, version.engine, version.engine_version, review.reviewed_at,
    corrected.parent_iou, version.largest_diameter_px AS before_px, corrected.largest_diameter_px AS after_px
FROM review
JOIN image ON image.id = review.image_id
LEFT JOIN version ON version.id = review.version_id
LEFT JOIN version AS corrected ON corrected.id = review.corrected_id
WHERE ($project_id::VARCHAR IS NULL OR image.project_id = $project_id)
    AND image.deleted_at IS NULL AND review.at_random AND review.version_id IS NOT NULL
    AND coalesce(version.kind, 'automatic') = 'automatic'
QUALIFY row_number() OVER (PARTITION BY review.version_id ORDER BY review.reviewed_at DESC, review.rowid DESC) = 1
    AND review.state IN ('right', 'corrected')

-- name: effort
-- The last word on each result, and how long people looked at results and worked at corrections. Outlines of
-- other programs are nobody's judgement of a result, and what is said of them is none of this app's results.
WITH imported AS (
    SELECT DISTINCT facts->>'$.version' AS version_id FROM correction_audit WHERE action = 'imported'
),
said AS (
    SELECT
        review.state, review.seconds, corrected.seconds_worked,
        row_number() OVER (
            PARTITION BY review.image_id, review.version_id ORDER BY review.reviewed_at DESC, review.rowid DESC
        ) AS place
    FROM review
    JOIN image ON image.id = review.image_id
    LEFT JOIN version AS corrected ON corrected.id = review.corrected_id
    ANTI JOIN imported ON imported.version_id = review.corrected_id
    ANTI JOIN imported AS judged ON judged.version_id = review.version_id
    WHERE image.deleted_at IS NULL AND ($project_id::VARCHAR IS NULL OR image.project_id = $project_id)
        AND ($since::TIMESTAMP IS NULL OR review.reviewed_at > $since)
)
SELECT
    count(*) FILTER (place = 1 AND state <> 'unseen') AS looked_at,
    count(*) FILTER (place = 1 AND state = 'right') AS right,
    count(*) FILTER (place = 1 AND state = 'corrected') AS corrected,
    coalesce(sum(seconds), 0) + coalesce(sum(seconds_worked), 0) AS seconds
FROM said
