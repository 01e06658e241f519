-- No foreign keys and no index on a column that changes: DuckDB 2.0 refuses legitimate updates of such rows
-- (docs/decisions/0002). The primary keys are what single rows are looked up by.

CREATE TYPE image_status AS ENUM ('new', 'queued', 'running', 'done', 'failed');
CREATE TYPE job_state AS ENUM ('queued', 'running', 'done', 'failed', 'cancelled');
CREATE TYPE pixel_size_source AS ENUM ('project', 'file', 'user');
CREATE SEQUENCE job_sequence;

CREATE TABLE project (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    um_per_px DOUBLE,
    engine VARCHAR NOT NULL,
    params VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP
);

CREATE TABLE image (
    id VARCHAR PRIMARY KEY,
    project_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    page INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    dtype VARCHAR NOT NULL,
    bit_depth INTEGER NOT NULL,
    n_bytes BIGINT NOT NULL,
    um_per_px_file DOUBLE,
    um_per_px_from VARCHAR,
    thumbnail_sha256 VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    -- The pixel size in force: what the user typed, else the file's, else the project's default.
    um_per_px DOUBLE,
    um_per_px_source pixel_size_source,
    -- The sortable results of the segmentation in force, repeated here because a join is six times slower.
    status image_status NOT NULL,
    error_code VARCHAR,
    error VARCHAR,
    segmentation_id VARCHAR,
    n_objects INTEGER,
    largest_diameter_px DOUBLE,
    largest_area_px DOUBLE,
    largest_circularity DOUBLE,
    seconds DOUBLE
);

CREATE TABLE job (
    id VARCHAR PRIMARY KEY,
    image_id VARCHAR NOT NULL,
    project_id VARCHAR NOT NULL,
    state job_state NOT NULL,
    sequence BIGINT NOT NULL,
    attempt INTEGER NOT NULL,
    suspect BOOLEAN NOT NULL,
    engine VARCHAR NOT NULL,
    engine_version VARCHAR NOT NULL,
    params VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    boot_id VARCHAR,
    worker VARCHAR,
    error_code VARCHAR,
    error VARCHAR,
    timings_ms VARCHAR
);

CREATE TABLE segmentation (
    id VARCHAR PRIMARY KEY,
    image_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    engine VARCHAR NOT NULL,
    engine_version VARCHAR NOT NULL,
    params VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    labels_sha256 VARCHAR NOT NULL,
    thumbnail_sha256 VARCHAR NOT NULL,
    timings_ms VARCHAR NOT NULL
);

-- One row a spheroid. Lengths, areas and volumes are in pixels: the pixel size may be set later.
CREATE TABLE object (
    segmentation_id VARCHAR NOT NULL,
    image_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    area DOUBLE,
    perimeter DOUBLE,
    equivalent_diameter DOUBLE,
    circularity DOUBLE,
    circularity_imagej DOUBLE,
    roundness DOUBLE,
    aspect_ratio DOUBLE,
    eccentricity DOUBLE,
    solidity DOUBLE,
    extent DOUBLE,
    convexity DOUBLE,
    feret_max DOUBLE,
    feret_min DOUBLE,
    volume_sphere DOUBLE,
    volume_ellipsoid DOUBLE,
    sphericity_2d DOUBLE,
    centroid_x DOUBLE,
    centroid_y DOUBLE,
    bbox_x INTEGER,
    bbox_y INTEGER,
    bbox_width INTEGER,
    bbox_height INTEGER,
    intensity_mean DOUBLE,
    intensity_sd DOUBLE,
    touches_border BOOLEAN,
    n_holes INTEGER,
    reasons VARCHAR NOT NULL,
    contour VARCHAR NOT NULL
);
