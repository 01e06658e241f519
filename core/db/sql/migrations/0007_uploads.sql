-- Files on their way into a project, and what became of each: kept so that a file that was not stored is named.

CREATE TABLE upload (
    id VARCHAR PRIMARY KEY, -- made of project and key
    project_id VARCHAR NOT NULL,
    key VARCHAR NOT NULL, -- chosen by whoever sends the file
    batch VARCHAR NOT NULL, -- the same for files that were dropped together
    path VARCHAR NOT NULL,
    n_bytes BIGINT,
    segment BOOLEAN NOT NULL,
    requested_by VARCHAR,
    state VARCHAR NOT NULL,
    sha256 VARCHAR, -- known once all bytes have arrived
    code VARCHAR,
    message VARCHAR,
    image_ids VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    dismissed BOOLEAN NOT NULL
);

-- Requests for a change that have been answered, so that one that is repeated changes nothing more.
CREATE TABLE answered_request (
    id VARCHAR PRIMARY KEY, -- made of the address and the key that the client chose
    answer VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
