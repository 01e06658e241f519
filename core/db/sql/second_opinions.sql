-- Images that a second person draws without seeing the outlines, and what they have drawn.

-- name: candidates
-- Images whose result a person has judged, or that were drawn again: who has seen the outlines, who has drawn.
WITH judged AS (
    SELECT id, name, version_id FROM image
    WHERE project_id = $project_id AND deleted_at IS NULL AND version_id IS NOT NULL AND review <> 'excluded'
        AND (review IN ('right', 'corrected') OR id IN (SELECT image_id FROM second_opinion))
),
seen AS (
    SELECT image_id, reviewed_by AS person FROM review
    UNION ALL
    SELECT image_id, author FROM version WHERE author IS NOT NULL
    UNION ALL
    SELECT correction.image_id, operation.author
    FROM correction JOIN correction_operation AS operation ON operation.correction_id = correction.id
),
people AS (
    SELECT image_id, list(DISTINCT person) AS seen_by FROM seen
    WHERE image_id IN (SELECT id FROM judged)
    GROUP BY image_id
),
drawn AS (
    SELECT image_id, list(drawn_by) AS drawn_by FROM second_opinion GROUP BY image_id
)
SELECT judged.*, coalesce(people.seen_by, []) AS seen_by, coalesce(drawn.drawn_by, []) AS drawn_by
FROM judged
LEFT JOIN people ON people.image_id = judged.id
LEFT JOIN drawn ON drawn.image_id = judged.id
ORDER BY judged.id

-- name: seen_by
-- Who has seen the outlines of an image: they have judged or corrected some.
SELECT reviewed_by AS person FROM review WHERE image_id = $image_id
UNION
SELECT author FROM version WHERE image_id = $image_id AND author IS NOT NULL
UNION
SELECT operation.author
FROM correction JOIN correction_operation AS operation ON operation.correction_id = correction.id
WHERE correction.image_id = $image_id

-- name: judged
-- A version of an image that a person has called right or has made, and who that was last.
SELECT version.id, coalesce(review.reviewed_by, version.author) AS judged_by
FROM version LEFT JOIN review ON review.version_id = version.id AND review.state = 'right'
WHERE version.id = $version_id AND version.image_id = $image_id
    AND (version.kind = 'corrected' OR review.state = 'right')
ORDER BY review.reviewed_at DESC NULLS LAST LIMIT 1

-- name: of_image
SELECT id, drawn_by, drawn_at, n_drawn, sha256 FROM second_opinion WHERE image_id = $image_id

-- name: add
INSERT INTO second_opinion BY NAME
SELECT
    $id AS id, $image_id AS image_id, $version_id AS version_id, $judged_by AS judged_by, $drawn_by AS drawn_by,
    $drawn_at AS drawn_at, $seconds::DOUBLE AS seconds, $same_person AS same_person, $at_random AS at_random,
    $outlines AS outlines, $sha256 AS sha256, $n_drawn AS n_drawn, $n_either AS n_either,
    $ious::DOUBLE[] AS ious, $diameter_changes::DOUBLE[] AS diameter_changes,
    $engine_version_id::VARCHAR AS engine_version_id, $engine_n_either::INTEGER AS engine_n_either,
    $engine_ious::DOUBLE[] AS engine_ious, $engine_diameter_changes::DOUBLE[] AS engine_diameter_changes

-- name: figures
-- What the drawings of a project, or of all, say of agreement; not those of images that were excluded since.
SELECT second_opinion.* EXCLUDE (outlines), image.name
FROM second_opinion
JOIN image ON image.id = second_opinion.image_id
JOIN project ON project.id = image.project_id
WHERE ($project_id::VARCHAR IS NULL OR image.project_id = $project_id)
    AND image.deleted_at IS NULL AND project.deleted_at IS NULL AND image.review <> 'excluded'
ORDER BY drawn_at, second_opinion.id

-- name: of_project
-- Every drawing of a project's images, or of some, with its outlines, in order.
SELECT second_opinion.*, image.name
FROM second_opinion JOIN image ON image.id = second_opinion.image_id
WHERE image.project_id = $project_id AND image.deleted_at IS NULL
    AND ($ids::VARCHAR[] IS NULL OR image.id IN (SELECT unnest($ids::VARCHAR[])))
ORDER BY drawn_at, second_opinion.id

-- name: purge
DELETE FROM second_opinion WHERE image_id IN (SELECT unnest($image_ids::VARCHAR[]))
