-- What is deleted for good when its time is over.

-- name: versions
-- Automatic versions that are no longer in force, that no correction was made or is being made from and nothing has pinned.
DELETE FROM version
WHERE kind = 'automatic' AND superseded_at < $before
    AND id NOT IN (SELECT image.version_id FROM image WHERE image.version_id IS NOT NULL)
    AND id NOT IN (SELECT child.parent_id FROM version AS child WHERE child.parent_id IS NOT NULL)
    AND id NOT IN (SELECT correction.parent_id FROM correction WHERE ended_at IS NULL AND parent_id IS NOT NULL)
    AND id NOT IN (SELECT pinned_version.version_id FROM pinned_version)
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
