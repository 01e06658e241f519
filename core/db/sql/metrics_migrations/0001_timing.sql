-- What was recorded, in a file of its own: it may be deleted at any time, and nothing of the lab's data with it.

-- One row a stretch of time, series and bucket of its histogram; rows of one series add up.
CREATE TABLE timing (
    stamp TIMESTAMP NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    bucket SMALLINT NOT NULL,
    calls BIGINT NOT NULL,
    ms DOUBLE NOT NULL,
    worst_ms DOUBLE NOT NULL,
    amount BIGINT NOT NULL
);

CREATE TABLE sample (
    stamp TIMESTAMP NOT NULL,
    rss_bytes BIGINT NOT NULL,
    cpu_percent DOUBLE NOT NULL,
    threads INTEGER NOT NULL,
    disk_free_bytes BIGINT,
    queued INTEGER,
    running INTEGER
);
