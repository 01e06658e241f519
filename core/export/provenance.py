"""README.txt and provenance.json: versions, models, settings and formulas behind an archive's numbers."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.metadata import version

from core import __version__
from core.export.methods import Tally
from core.export.request import ExportRequest, Part
from core.listing import export_rows
from core.models import Project
from core.segmentation import EngineRegistry
from core.settings import Settings

PACKAGES = (
    *("numpy", "opencv-python-headless", "scipy", "torch", "safetensors", "pillow", "duckdb"),
    *("polars", "pyarrow", "xlsxwriter", "roifile", "pycocotools"),
)

README = """Exported from Spheroscope {version}, project “{project}”, {time} UTC: {chosen}.

{digits}

METHODS.txt               a paragraph for the methods of a paper, to be adapted
CITATION.cff              how to cite Spheroscope, for reference managers
images.csv, objects.csv   a row an image, a row a spheroid; what is not known is empty
results.xlsx              the same two tables and the formulas as one workbook
images.parquet, objects.parquet   the same tables with types
formulas.csv              unit and formula of every measured column
masks/                    label images, 16-bit PNG: 0 is background, numbers are those of the tables
rois/                     a zip an image for the ROI Manager of ImageJ or Fiji, named by the same numbers
coco.json                 every spheroid as a run-length encoded mask, its holes left out
overlays/                 images with outlines, numbers and, where the pixel size is known, a scale bar
originals/                the files as they were uploaded; SHA256SUMS.txt is for sha256sum --check
history.csv, history.json every change that people made of results; not there where nobody made any
second_opinions.csv, second_opinions.json   drawings by people who did not see the outlines, and how far they
                          agree; they are no results. The .json has every pixel. Not there without any
provenance.json           versions, model, settings and formulas
problems.csv              what had to be left out and why; not there where nothing had

The column outline says of each spheroid whether its outline, and so its numbers, are automatic, corrected or
imported, and outline_version_id by which version. version_kind is of the whole result: corrected where a
person has changed any of its outlines.

Only what was asked for is in this archive. Columns that end in _px, _px2 and _px3 are in pixels, those that
end in _um, _um2 and _um3 in micrometres and empty where the pixel size of the image is not known. um_per_px
is the pixel size that was used, um_per_px_file that of the file. path and image name the image. In the
tables for spreadsheets, text that would be run as a formula has a leading apostrophe.
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of an archive: its project, request, time and the app's settings."""

    project: Project
    request: ExportRequest
    settings: Settings
    now: datetime

    def readme(self) -> bytes:
        """Return README.txt."""
        return README.format(
            version=__version__,
            project=self.project.name,
            time=f"{self.now:%Y-%m-%d %H:%M}",
            chosen=self.request.chosen_by,
            digits=_precision(self.request.digits),
        ).encode()

    def provenance(self, tally: Tally, engines: EngineRegistry) -> bytes:
        """Return provenance.json."""
        project = self.project
        document = {
            "spheroscope_version": __version__,
            "created_at": self.now.isoformat(timespec="seconds") + "Z",
            "project": {
                "id": project.id,
                "name": project.name,
                "um_per_px": project.um_per_px,
                "engine": project.engine,
                "params": project.params,
            },
            "images": {"n": tally.images, "chosen_by": self.request.chosen_by},
            "digits": self.request.digits,
            "parts": _in_order(self.request.parts),
            "results": [_result(key, engines, count) for key, count in sorted(tally.results.items())],
            "formulas": list(export_rows.formula_rows()),
            "settings": _settings(self.settings),
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "packages": {name: version(name) for name in PACKAGES},
        }
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _precision(digits: int | None) -> str:
    if digits is None:
        return "Numbers have every digit that was computed."
    return f"Measured numbers are rounded to {digits} significant digits; pixel sizes have all of theirs."


def _in_order(parts: Sequence[Part] | frozenset[Part]) -> list[str]:
    return [part.value for part in Part if part in parts]


def _result(key: tuple[str, str, str], engines: EngineRegistry, n_images: int) -> dict[str, object]:
    engine, engine_version, params = key
    return {
        "engine": engine,
        "engine_version": engine_version,
        "params": json.loads(params),
        "weights_sha256": engines.weights_sha256(engine, engine_version),
        "n_images": n_images,
    }


def _settings(settings: Settings) -> dict[str, object]:
    """Return settings that are numbers or switches; paths and addresses stay private."""
    values = {item.metadata["env"]: getattr(settings, item.name) for item in fields(settings)}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
