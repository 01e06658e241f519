-- What people say of the result of an image: the latest word on the image itself, every word in ``review``.

CREATE TYPE review_state AS ENUM ('unseen', 'right', 'corrected', 'excluded', 'unsure');

ALTER TABLE image ADD COLUMN review review_state DEFAULT 'unseen';
ALTER TABLE image ADD COLUMN review_reason VARCHAR;
ALTER TABLE image ADD COLUMN reviewed_by VARCHAR;
ALTER TABLE image ADD COLUMN reviewed_at TIMESTAMP;

-- An image whose result in force somebody has corrected has been seen.
UPDATE image SET review = 'corrected', reviewed_by = version.author, reviewed_at = version.created_at
FROM version WHERE version.id = image.version_id AND version.kind = 'corrected';

-- Rows are added and never changed. version_id is the result that was looked at; corrected_id what it became.
-- at_random: whether the image belongs to those that are drawn at random, from which accuracy is estimated.
CREATE TABLE review (
    image_id VARCHAR NOT NULL,
    version_id VARCHAR,
    corrected_id VARCHAR,
    state review_state NOT NULL,
    reason VARCHAR,
    reviewed_by VARCHAR NOT NULL,
    reviewed_at TIMESTAMP NOT NULL,
    at_random BOOLEAN NOT NULL
);
