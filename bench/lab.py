"""A large lab's database for benchmarks: projects of very different sizes, most images with a result.

No job waits, so an app that is started on it is idle, whatever the images' statuses say.

Made in DuckDB itself from hashes of the row's number, the same every time: the million images take a
quarter of a minute. ``python -m bench.lab DIR [--quick]`` makes one to look at with the app.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.db import Database
from core.monitoring import QueryRecorder, Recorder

FILE = "spheroscope.duckdb"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the lab is."""

    projects: int
    images: int
    largest: int  # images of the largest project


MILLION = Size(200, 1_000_000, 200_000)
QUICK = Size(20, 20_000, 4_000)


@dataclass(frozen=True, slots=True)
class Lab:
    """A data folder with a database in it. ``projects``: ids and numbers of images, the largest first."""

    folder: Path
    projects: tuple[tuple[str, int], ...]

    @property
    def path(self) -> Path:
        return self.folder / FILE


class Statements(QueryRecorder):
    """The names of all statements that a database has run."""

    def __init__(self) -> None:
        super().__init__(Recorder(enabled=False))
        self.names: list[str] = []

    def record(self, name: str, ms: float, rows: int) -> None:
        """Remember one statement."""
        self.names.append(name)


def make(folder: Path, size: Size) -> Lab:
    """Make the database in ``folder``, or take the one that is there."""
    counts = project_sizes(size)
    lab = Lab(folder, tuple((f"project{index:04}", count) for index, count in enumerate(counts)))
    if lab.path.exists():
        return lab
    Database.open(lab.path, QueryRecorder()).close()
    connection = duckdb.connect(str(lab.path))
    try:
        connection.execute("CREATE TEMP TABLE size (project_id VARCHAR, n INTEGER)").fetchall()
        rows = ", ".join(f"('{key}', {count})" for key, count in lab.projects)
        connection.execute(f"INSERT INTO size VALUES {rows}").fetchall()
        for statement in _STATEMENTS:
            connection.execute(statement).fetchall()
        connection.execute("CHECKPOINT").fetchall()
    finally:
        connection.close()
    return lab


def project_sizes(size: Size) -> list[int]:
    """Images a project by Zipf's law, largest first, adding up to the whole."""
    low, high = 0.0, 12.0
    for _ in range(60):
        exponent = (low + high) / 2
        total = sum(_share(size, index, exponent) for index in range(size.projects))
        low, high = (exponent, high) if total > size.images else (low, exponent)
    counts = [max(1, round(_share(size, index, high))) for index in range(size.projects)]
    counts[1] += size.images - sum(counts)
    return counts


def _share(size: Size, place: int, exponent: float) -> float:
    return float(size.largest / (place + 1) ** exponent)


# What each image is, from hashes of its project and number.
_STATEMENTS = (
    """
    INSERT INTO project BY NAME
    SELECT
        project_id AS id, 'Plate study ' || right(project_id, 4) AS name,
        CASE WHEN hash(project_id) % 4 > 0 THEN 0.65 END AS um_per_px, 'classical' AS engine, '{}' AS params,
        TIMESTAMP '2024-01-01' AS created_at
    FROM size
    """,
    """
    CREATE TEMP TABLE made AS
    SELECT
        md5(project_id || '/' || i) AS id, project_id, i, (hash(project_id, i, 1) % 1000)::INTEGER AS luck,
        TIMESTAMP '2024-01-01'
            + to_microseconds((hash(project_id, i, 2) % 63072000000000)::BIGINT) AS created_at,
        40 + (hash(project_id, i, 3) % 100000) / 250.0 AS diameter,
        CASE WHEN hash(project_id) % 4 > 0 THEN 0.65 END AS um_per_px
    FROM (SELECT project_id, unnest(range(n)) AS i FROM size)
    """,
    """
    INSERT INTO image BY NAME
    SELECT
        id, project_id,
        format('plate{:02d}_{}{:02d}_day{}_{}.tif', i // 768 % 40,
            substr('ABCDEFGH', (i // 12 % 8 + 1)::INTEGER, 1), i % 12 + 1, i // 96 % 8, i) AS name,
        md5(id) || md5(id || 'file') AS sha256, 1 AS page, 2048 AS width, 2048 AS height, 1 AS channels,
        'uint16' AS dtype, 12 AS bit_depth, 8388608 AS n_bytes,
        NULL AS um_per_px_file, NULL AS um_per_px_from,
        md5(id) || md5(id || 'thumbnail') AS thumbnail_sha256, created_at, um_per_px,
        CASE WHEN um_per_px IS NOT NULL THEN 'project' END AS um_per_px_source,
        CASE WHEN luck < 900 THEN 'done' WHEN luck < 950 THEN 'failed' WHEN luck < 970 THEN 'running'
            WHEN luck < 985 THEN 'queued' ELSE 'new' END AS status,
        CASE WHEN luck BETWEEN 900 AND 949 THEN 'image_unreadable' END AS error_code,
        CASE WHEN luck BETWEEN 900 AND 949 THEN 'The file is damaged or cut short.' END AS error,
        CASE WHEN luck < 900 THEN md5(id || 'job') END AS version_id,
        CASE WHEN luck < 900 THEN 3 END AS n_objects,
        CASE WHEN luck < 900 THEN diameter END AS largest_diameter_px,
        CASE WHEN luck < 900 THEN floor(pi() / 4 * diameter * diameter) END AS largest_area_px,
        CASE WHEN luck < 900 THEN 0.6 + luck / 2500.0 END AS largest_circularity,
        CASE WHEN luck < 900 THEN 0.05 + luck / 5000.0 END AS seconds
    FROM made
    ORDER BY project_id, created_at DESC, id
    """,
    """
    INSERT INTO job BY NAME
    SELECT
        md5(id || 'job') AS id, id AS image_id, project_id,
        CASE WHEN luck < 900 THEN 'done' ELSE 'failed' END AS state,
        nextval('job_sequence') AS sequence, 1 AS request, 1 AS attempt, false AS suspect,
        'classical' AS engine,
        '3' AS engine_version, '{}' AS params, created_at,
        created_at AS started_at, created_at + INTERVAL 1 SECOND AS finished_at
    FROM made WHERE luck < 950
    ORDER BY created_at
    """,
    """
    INSERT INTO version BY NAME
    SELECT
        md5(id || 'job') AS id, id AS image_id, 'automatic' AS kind, 'classical' AS engine,
        '3' AS engine_version, '{}' AS params, created_at, md5(id) || md5(id || 'labels') AS labels_sha256,
        md5(id) || md5(id || 'outlined') AS thumbnail_sha256, '{}' AS timings_ms, 3 AS n_objects
    FROM made WHERE luck < 900
    ORDER BY project_id, created_at DESC, id
    """,
    """
    INSERT INTO object BY NAME
    SELECT
        md5(id || 'job') AS version_id, id AS image_id, number,
        floor(pi() / 4 * (diameter / number) ** 2) AS area, pi() * diameter / number AS perimeter,
        diameter / number AS equivalent_diameter, 0.9 AS circularity, 0.95 AS circularity_imagej,
        0.9 AS roundness, 1.1 AS aspect_ratio, 0.3 AS eccentricity, 0.97 AS solidity, 0.78 AS extent,
        0.98 AS convexity, 1.05 * diameter / number AS feret_max, 0.95 * diameter / number AS feret_min,
        pi() / 6 * (diameter / number) ** 3 AS volume_sphere,
        pi() / 6 * (diameter / number) ** 3 AS volume_ellipsoid,
        0.95 AS sphericity_2d, 300.0 * number AS centroid_x, 500.0 AS centroid_y,
        (300 * number)::INTEGER AS bbox_x,
        400 AS bbox_y, (diameter / number)::INTEGER AS bbox_width,
        (diameter / number)::INTEGER AS bbox_height,
        900.0 AS intensity_mean, 80.0 AS intensity_sd, false AS touches_border, 0 AS n_holes, '{}' AS reasons,
        '[[[0,0],[9,0],[9,9],[0,9]]]' AS contour
    FROM made, range(1, 4) AS numbers (number)
    WHERE luck < 900
    ORDER BY project_id, created_at DESC, id, number
    """,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lab", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="20 000 images instead of a million")
    options = parser.parse_args()
    lab = make(options.folder, QUICK if options.quick else MILLION)
    print(f"{sum(count for _, count in lab.projects)} images in {lab.path}")


if __name__ == "__main__":
    main()
