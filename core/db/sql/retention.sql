-- What is deleted for good when its time is over.

-- name: versions
-- Automatic versions that are no longer in force, that no person has had to do with and nothing has pinned: none
-- that somebody has judged, chosen or replaced by a choice, corrected or begun to, or drawn a second opinion of.
DELETE FROM version
WHERE kind = 'automatic' AND superseded_at < $before
    AND id NOT IN (
        SELECT id FROM (
            SELECT version_id AS id FROM image
            UNION ALL SELECT parent_id FROM version
            UNION ALL SELECT parent_id FROM correction
            UNION ALL SELECT version_id FROM review
            UNION ALL SELECT unnest([version_id, engine_version_id]) FROM second_opinion
            UNION ALL SELECT unnest(regexp_extract_all(facts, '"(?:version|before)":"([^"]+)"', 1))
            FROM correction_audit WHERE action = 'chose'
            UNION ALL SELECT version_id FROM pinned_version
        ) WHERE id IS NOT NULL
    )
RETURNING id

-- name: objects
DELETE FROM object WHERE version_id IN (SELECT unnest($version_ids::VARCHAR[]))

-- name: jobs_of_images
DELETE FROM job WHERE image_id IN (SELECT unnest($image_ids::VARCHAR[]))

-- name: versions_of_images
DELETE FROM version WHERE image_id IN (SELECT unnest($image_ids::VARCHAR[])) RETURNING id

-- name: pins
DELETE FROM pinned_version WHERE version_id IN (SELECT unnest($version_ids::VARCHAR[]))

-- name: unneeded
-- Of the files in ``incoming``, those that no image and no version names.
SELECT incoming.sha256 FROM incoming
ANTI JOIN (
    SELECT sha256 FROM image
    UNION ALL SELECT thumbnail_sha256 FROM image
    UNION ALL SELECT labels_sha256 FROM version
    UNION ALL SELECT thumbnail_sha256 FROM version
    UNION ALL SELECT maps_sha256 FROM version
) AS needed USING (sha256)
