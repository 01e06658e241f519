-- The columns of the image table as users see it, sort by it and narrow it: the page index holds the same.
CREATE OR REPLACE VIEW image_row AS
SELECT
    id, project_id, name, status, error_code, error, n_objects, largest_diameter_px, largest_area_px,
    largest_circularity, confidence, um_per_px, um_per_px_source, width, height, bit_depth, created_at, seconds,
    segmentation_id,
    lower(name) AS name_key,
    largest_diameter_px * um_per_px AS diameter_um,
    largest_area_px * um_per_px * um_per_px AS area_um2
FROM image
WHERE deleted_at IS NULL;
