-- The people whose jobs wait take turns: at the same priority, the lowest turn is next.
ALTER TABLE job ADD COLUMN turn BIGINT;

UPDATE job SET turn = placed.turn
FROM (
    SELECT id, row_number() OVER (PARTITION BY requested_by, priority ORDER BY sequence) AS turn
    FROM job WHERE state IN ('queued', 'running')
) AS placed
WHERE job.id = placed.id;
