-- A result is a version of its image: added, never replaced. The image names the one in force.

CREATE TYPE version_kind AS ENUM ('automatic', 'corrected');

CREATE TABLE version (
    id VARCHAR PRIMARY KEY,
    image_id VARCHAR NOT NULL,
    kind version_kind NOT NULL,
    -- What a corrected version was made from, by whom and why.
    parent_id VARCHAR,
    author VARCHAR,
    reason VARCHAR,
    -- The job that made an automatic version, and which request to segment the image it answers.
    job_id VARCHAR,
    request BIGINT,
    engine VARCHAR NOT NULL,
    engine_version VARCHAR NOT NULL,
    params VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    superseded_at TIMESTAMP, -- null while it is in force
    labels_sha256 VARCHAR NOT NULL,
    thumbnail_sha256 VARCHAR NOT NULL,
    maps_sha256 VARCHAR,
    timings_ms VARCHAR NOT NULL,
    -- What the image repeats of the version in force.
    n_objects INTEGER NOT NULL,
    largest_diameter_px DOUBLE,
    largest_area_px DOUBLE,
    largest_circularity DOUBLE,
    seconds DOUBLE,
    confidence DOUBLE
);

-- Versions that are not deleted when their time is over, and what needs them.
CREATE TABLE pinned_version (version_id VARCHAR NOT NULL, pinned_by VARCHAR NOT NULL);

-- A job's place in the queue changes when it is put back; the number of the request that it answers does not.
ALTER TABLE job ADD COLUMN request BIGINT;
ALTER TABLE job RENAME COLUMN asked_by TO requested_by;
UPDATE job SET request = sequence;

-- Which request an earlier version answers is known only where its job has not been asked for again since.
INSERT INTO version BY NAME
SELECT
    segmentation.id, segmentation.image_id, segmentation.kind::version_kind AS kind, job.id AS job_id,
    CASE WHEN job.state = 'done' THEN job.request END AS request,
    segmentation.engine, segmentation.engine_version, segmentation.params, segmentation.created_at,
    CASE WHEN image.id IS NULL THEN make_timestamp(epoch_us(now())) END AS superseded_at,
    segmentation.labels_sha256, segmentation.thumbnail_sha256, segmentation.maps_sha256, segmentation.timings_ms,
    coalesce(found.n_objects, 0) AS n_objects,
    found.largest.equivalent_diameter AS largest_diameter_px, found.largest.area AS largest_area_px,
    found.largest.circularity AS largest_circularity, image.seconds, image.confidence
FROM segmentation
LEFT JOIN job ON job.id = segmentation.id
LEFT JOIN image ON image.segmentation_id = segmentation.id
LEFT JOIN (
    SELECT
        segmentation_id, count(*) AS n_objects,
        arg_max(
            {'equivalent_diameter': equivalent_diameter, 'area': area, 'circularity': circularity},
            coalesce(area, 0)
        ) AS largest
    FROM object GROUP BY segmentation_id
) AS found ON found.segmentation_id = segmentation.id
ORDER BY segmentation.rowid;

DROP TABLE segmentation;
ALTER TABLE object RENAME COLUMN segmentation_id TO version_id;
ALTER TABLE image RENAME COLUMN segmentation_id TO version_id;

-- The last request to segment an image: its job decides the image's status.
ALTER TABLE image ADD COLUMN latest_request BIGINT;
UPDATE image SET latest_request = last.request
FROM (SELECT image_id, max(request) AS request FROM job WHERE state <> 'cancelled' GROUP BY image_id) AS last
WHERE last.image_id = image.id;

-- A try that failed no longer hides the result that was there before.
UPDATE image SET status = 'done' WHERE status = 'failed' AND version_id IS NOT NULL;
