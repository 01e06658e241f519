-- How blurred the edge of the largest spheroid is, and how many specks there are; null for results of before.
ALTER TABLE image ADD COLUMN edge_blur DOUBLE;
ALTER TABLE image ADD COLUMN specks INTEGER;
ALTER TABLE version ADD COLUMN edge_blur DOUBLE;
ALTER TABLE version ADD COLUMN specks INTEGER;

-- What a project is like, which decides what its images are looked at for: "one" or "several" spheroids expected
-- in an image, null where nobody has said; and whether a correction has to say why.
ALTER TABLE project ADD COLUMN spheroids_expected VARCHAR;
ALTER TABLE project ADD COLUMN reason_needed BOOLEAN;
