-- name: add
INSERT INTO timing BY NAME SELECT * FROM incoming

-- name: add_sample
INSERT INTO sample VALUES (
    $stamp, $rss_bytes, $cpu_percent, $threads, $disk_free_bytes, $queued, $running
)

-- name: window
SELECT
    kind, name, outcome, bucket,
    sum(calls)::BIGINT AS calls, sum(ms) AS ms, max(worst_ms) AS worst_ms, sum(amount)::BIGINT AS amount
FROM timing
WHERE stamp > $since AND ($until::TIMESTAMP IS NULL OR stamp <= $until)
GROUP BY ALL

-- name: over_time
SELECT
    time_bucket(to_seconds($slot), stamp) AS slot, kind, name, outcome, bucket,
    sum(calls)::BIGINT AS calls, sum(ms) AS ms, max(worst_ms) AS worst_ms, sum(amount)::BIGINT AS amount
FROM timing
WHERE stamp > $since AND ($kind::VARCHAR IS NULL OR kind = $kind)
GROUP BY ALL
ORDER BY slot

-- name: samples
SELECT
    time_bucket(to_seconds($slot), stamp) AS stamp,
    max(rss_bytes) AS rss_bytes, avg(cpu_percent) AS cpu_percent, max(threads) AS threads,
    min(disk_free_bytes) AS disk_free_bytes, max(queued) AS queued, max(running) AS running
FROM sample
WHERE stamp > $since
GROUP BY ALL
ORDER BY stamp

-- name: first
SELECT min(stamp) AS stamp FROM sample

-- name: thin
-- Rows that do not stand at the beginning of a slot are what has not been thinned to this slot yet.
INSERT INTO timing
SELECT
    time_bucket(to_seconds($slot), stamp), kind, name, outcome, bucket,
    sum(calls), sum(ms), max(worst_ms), sum(amount)
FROM timing
WHERE stamp < $before AND stamp <> time_bucket(to_seconds($slot), stamp)
GROUP BY ALL

-- name: drop_thinned
DELETE FROM timing WHERE stamp < $before AND stamp <> time_bucket(to_seconds($slot), stamp)

-- name: thin_samples
INSERT INTO sample
SELECT
    time_bucket(to_seconds($slot), stamp),
    max(rss_bytes), avg(cpu_percent), max(threads), min(disk_free_bytes), max(queued), max(running)
FROM sample
WHERE stamp < $before AND stamp <> time_bucket(to_seconds($slot), stamp)
GROUP BY ALL

-- name: drop_thinned_samples
DELETE FROM sample WHERE stamp < $before AND stamp <> time_bucket(to_seconds($slot), stamp)

-- name: forget
DELETE FROM timing WHERE stamp < $before

-- name: forget_samples
DELETE FROM sample WHERE stamp < $before
