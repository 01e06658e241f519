-- How far outlines can be trusted, and the engine's maps, from which other settings are tried without it.
-- Results of earlier versions have neither.

ALTER TABLE image ADD COLUMN confidence DOUBLE;
ALTER TABLE segmentation ADD COLUMN maps_sha256 VARCHAR;
ALTER TABLE object ADD COLUMN confidence DOUBLE;
