-- The folder that a project takes images in from, relative to WATCHED_ROOT; empty where it takes in none.
-- Projects without a row have the folder with their name, if there is one.
CREATE TABLE watched_folder (
    project_id VARCHAR PRIMARY KEY,
    folder VARCHAR NOT NULL,
    changed_by VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
