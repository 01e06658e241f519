-- Of each spheroid, who made its outline: null is an engine. outline_version_id is the version from which it has
-- been taken over unchanged; null where it is new in its own. A correction changes some spheroids and keeps the others.
CREATE TYPE outline_source AS ENUM ('corrected', 'imported');
ALTER TABLE object ADD COLUMN outline outline_source;
ALTER TABLE object ADD COLUMN outline_version_id VARCHAR;

-- Of corrections of before: a spheroid whose number and outline are those of the version before is that one's.
CREATE TEMPORARY TABLE imported_version AS
SELECT unnest(regexp_extract_all(facts, '"version":"([^"]+)"', 1)) AS id
FROM correction_audit WHERE action = 'imported';

CREATE TEMPORARY TABLE outline_origin AS
WITH RECURSIVE corrected AS (
    SELECT id, parent_id, id IN (SELECT id FROM imported_version) AS imported FROM version WHERE kind = 'corrected'
),
walk AS (
    SELECT object.version_id, object.number, object.contour, 0 AS steps, corrected.id AS origin,
        CASE WHEN NOT corrected.imported THEN corrected.parent_id END AS earlier
    FROM object JOIN corrected ON corrected.id = object.version_id
    UNION ALL
    SELECT walk.version_id, walk.number, walk.contour, walk.steps + 1, object.version_id,
        CASE WHEN NOT corrected.imported THEN corrected.parent_id END
    FROM walk
    JOIN object ON object.version_id = walk.earlier AND object.number = walk.number AND object.contour = walk.contour
    LEFT JOIN corrected ON corrected.id = object.version_id
)
SELECT version_id, number, arg_max(origin, steps) AS origin FROM walk GROUP BY version_id, number;

UPDATE object SET
    outline = (
        CASE
            WHEN origin.origin IN (SELECT id FROM imported_version) THEN 'imported'
            WHEN origin.origin IN (SELECT id FROM version WHERE kind = 'corrected') THEN 'corrected'
        END
    )::outline_source,
    outline_version_id = nullif(origin.origin, object.version_id)
FROM outline_origin AS origin
WHERE origin.version_id = object.version_id AND origin.number = object.number;

DROP TABLE outline_origin;
DROP TABLE imported_version;
