-- How a pixel size that the file does not name was found: typed, or drawn over a scale bar. Until now all were typed.
CREATE TYPE pixel_size_method AS ENUM ('typed', 'drawn');
ALTER TABLE project ADD COLUMN um_per_px_method pixel_size_method;
ALTER TABLE image ADD COLUMN um_per_px_method pixel_size_method;
UPDATE project SET um_per_px_method = 'typed' WHERE um_per_px IS NOT NULL;
UPDATE image SET um_per_px_method = 'typed' WHERE um_per_px_source IN ('project', 'user');
