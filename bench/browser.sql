-- 200 projects: the first has the largest share of the images, the others the rest in equal parts.
INSERT INTO project BY NAME
SELECT
    format('project{:03d}', i) AS id,
    CASE WHEN i = 0 THEN 'Largest' ELSE format('Plate {:03d}', i) END AS name,
    1.36 AS um_per_px, 'classical' AS engine, '{}' AS params, TIMESTAMP '2026-01-01' AS created_at
FROM range(200) AS made(i);

INSERT INTO image BY NAME
SELECT
    md5(i::VARCHAR) AS id,
    format('project{:03d}', CASE WHEN i < $largest THEN 0 ELSE 1 + i % 199 END) AS project_id,
    format('{}{:02d}_day{}_{}.tif', chr((65 + i % 8)::INTEGER), 1 + i % 12, i % 21, i) AS name,
    $digest AS sha256, 1 AS page, 1024 AS width, 1024 AS height, 1 AS channels, 'uint16' AS dtype,
    16 AS bit_depth, 2097152 AS n_bytes, $digest AS thumbnail_sha256,
    TIMESTAMP '2026-01-01' + to_seconds((hash(i) % 20000000)::BIGINT) AS created_at,
    1.36 AS um_per_px, 'project' AS um_per_px_source,
    CASE WHEN i % 40 = 0 THEN 'failed' WHEN i % 25 = 0 THEN 'new' ELSE 'done' END AS status,
    1 + i % 6 AS n_objects, 40 + (hash(i + 1) % 40000) / 100.0 AS largest_diameter_px,
    5000 + (hash(i + 2) % 400000) / 10.0 AS largest_area_px,
    0.5 + (hash(i + 3) % 5000) / 10000.0 AS largest_circularity, 0.08 AS seconds
FROM range($images) AS made(i);
