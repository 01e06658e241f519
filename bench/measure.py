"""Measuring 150 spheroids in 2048×2048 pixels: ours beside scikit-image, the same quantities."""

from __future__ import annotations

from skimage.measure import regionprops_table

from bench.report import Bar, Report, interleaved_ms, median_p95
from bench.scenes import spheroids
from core.segmentation.measurement.measure import measure

PROPERTIES = (
    "area",
    "perimeter_crofton",
    "equivalent_diameter_area",
    "major_axis_length",
    "minor_axis_length",
    "eccentricity",
    "solidity",
    "extent",
    "feret_diameter_max",
    "centroid",
    "bbox",
    "euler_number",
    "intensity_mean",
    "intensity_std",
)


def run(quick: bool) -> Report:
    """Measure one and 150 spheroids both ways, in turns."""
    report = Report("measure")
    for count in (1, 150):
        made = spheroids(2048, count)
        times = interleaved_ms(
            {
                "ours": lambda made=made: measure(made.labels, made.pixels),
                "scikit-image": lambda made=made: regionprops_table(made.labels, made.pixels, PROPERTIES),
            },
            2 if quick else 9,
        )
        medians = {side: median_p95(values) for side, values in times.items()}
        for side, (median, p95) in medians.items():
            ratio = medians["scikit-image"][0] / median
            report.rows.append(
                {"spheroids": count, "side": side, "median_ms": median, "p95_ms": p95, "times_faster": ratio}
            )
        if count > 1:
            report.bars.append(Bar(f"{count} spheroids", medians["ours"][0], 60, "ms"))
    return report
