-- Drafts of corrections: every gesture is stored at once, and none is ever changed. A draft ends as a version
-- (version_id), or is discarded.

CREATE TABLE correction (
    id VARCHAR PRIMARY KEY,
    image_id VARCHAR NOT NULL,
    parent_id VARCHAR, -- the version that is corrected; null where there was none
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    version_id VARCHAR
);

CREATE TABLE correction_operation (
    correction_id VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    op_id VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    tool VARCHAR NOT NULL,
    ms INTEGER NOT NULL,
    digest VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    changes VARCHAR NOT NULL
);

-- Of a corrected version: how much it agrees with its parent, and how long people worked at it.
ALTER TABLE version ADD COLUMN parent_iou DOUBLE;
ALTER TABLE version ADD COLUMN seconds_worked DOUBLE;

-- Every change that a person made to results. Rows are added and never changed; each has the hash of the one
-- before it in its own, so that a row that was changed or taken out shows.
CREATE TABLE correction_audit (
    sequence BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    who VARCHAR NOT NULL,
    image_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    facts VARCHAR NOT NULL, -- as JSON
    previous_hash VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);
