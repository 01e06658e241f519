-- Who may use the app and what of it; empty, and not looked at, while AUTH=none.

CREATE TYPE account_role AS ENUM ('viewer', 'member', 'admin');
CREATE TYPE project_level AS ENUM ('view', 'edit', 'own');

CREATE TABLE account (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL, -- what a person signs in with, or what the provider or proxy calls them
    role account_role NOT NULL,
    password_hash VARCHAR, -- argon2id; null until one is chosen, and for those who sign in elsewhere
    created_at TIMESTAMP NOT NULL,
    disabled_at TIMESTAMP
);

-- Of sessions, links and tokens only the SHA-256 of their secret is stored.
CREATE TABLE session (
    id VARCHAR PRIMARY KEY,
    secret_sha256 VARCHAR NOT NULL,
    account_id VARCHAR, -- null for visitors by a project's link
    link_id VARCHAR,
    created_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    address VARCHAR NOT NULL,
    browser VARCHAR NOT NULL
);

CREATE TABLE api_token (
    id VARCHAR PRIMARY KEY,
    secret_sha256 VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    project_id VARCHAR, -- null for every project of the account
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);

-- Links that let one person choose a password, once.
CREATE TABLE password_link (
    id VARCHAR PRIMARY KEY,
    secret_sha256 VARCHAR NOT NULL,
    account_id VARCHAR, -- null for the first admin's
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);

CREATE TABLE project_member (
    project_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    level project_level NOT NULL,
    added_at TIMESTAMP NOT NULL
);

-- Links by which anybody may look at one project, until they expire.
CREATE TABLE project_link (
    id VARCHAR PRIMARY KEY,
    secret_sha256 VARCHAR NOT NULL,
    project_id VARCHAR NOT NULL,
    created_by VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);

-- Rows are added and never changed.
CREATE SEQUENCE audit_sequence;
CREATE TABLE audit (
    sequence BIGINT NOT NULL,
    done_at TIMESTAMP NOT NULL,
    account_id VARCHAR,
    name VARCHAR NOT NULL, -- of the account, as it was then
    action VARCHAR NOT NULL,
    project_id VARCHAR,
    subject VARCHAR NOT NULL,
    address VARCHAR NOT NULL
);
