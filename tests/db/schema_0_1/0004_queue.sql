-- How urgent a job is, who asked for it, and how often the program died while it ran.
CREATE TYPE job_priority AS ENUM ('low', 'normal', 'high');
ALTER TABLE job ADD COLUMN priority job_priority DEFAULT 'normal';
ALTER TABLE job ADD COLUMN asked_by VARCHAR;
ALTER TABLE job ADD COLUMN crashes INTEGER DEFAULT 0;
