-- How many images of a project another person draws a second time; null and 0 for none.
ALTER TABLE project ADD COLUMN second_opinions INTEGER;

-- Images that were drawn again by somebody who did not see their outlines. Rows are added and never changed.
-- version_id is the result that judged_by had called right or corrected, and engine_version_id the engine's own
-- that it goes back to, null where there is none. The lists have a value for each spheroid that is in both.
CREATE TABLE second_opinion (
    id VARCHAR PRIMARY KEY,
    image_id VARCHAR NOT NULL,
    version_id VARCHAR NOT NULL,
    judged_by VARCHAR NOT NULL,
    drawn_by VARCHAR NOT NULL,
    drawn_at TIMESTAMP NOT NULL,
    seconds DOUBLE,
    same_person BOOLEAN NOT NULL, -- also where it is not known who is who
    at_random BOOLEAN NOT NULL,
    outlines VARCHAR NOT NULL, -- as JSON
    sha256 VARCHAR NOT NULL, -- of the outlines
    n_drawn INTEGER NOT NULL,
    n_either INTEGER NOT NULL, -- spheroids of either person
    ious DOUBLE[] NOT NULL,
    diameter_changes DOUBLE[] NOT NULL,
    engine_version_id VARCHAR,
    engine_n_either INTEGER,
    engine_ious DOUBLE[],
    engine_diameter_changes DOUBLE[]
);
