"""Run in a process of its own, on a copy of the program: says where a column is found, as JSON.

Arguments: a folder to work in, then the names of a column of images and of a measurement that were added.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
from starlette.testclient import TestClient

from core.export.request import ExportRequest, Part
from core.listing import export_rows
from core.models import ImageFilter, Range, Segmentation
from core.services import Services
from core.settings import Settings
from core.store import Store
from core.ui import image_filter, measurements_panel
from core.ui.components import grid_columns
from tests.http.conftest import application
from tests.http.lab import Lab, disc
from tests.polling import wait_until

FOLDER, OF_IMAGES, OF_SPHEROIDS = Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def fill(services: Services) -> str:
    """Add two images with a spheroid each; the values of the added columns are 0.25 and 0.75."""
    lab = Lab(services.store, services.blobs)
    project = lab.project(um_per_px=2.0)
    for name, value in (("a.png", 0.25), ("b.png", 0.75)):
        lab.measured(lab.image(project, name), disc(**{OF_SPHEROIDS: value}))
    return project.id


def listed(services: Services, project_id: str) -> dict[str, Any]:
    """From the page index and by SQL."""
    places = {}
    for way, store in (("memory", services.store), ("SQL", Store(services.db, page_index_bytes=0))):
        filtered = ImageFilter(ranges=(Range(OF_IMAGES, 0.5),))
        rows = store.images.page(project_id, sort=f"-{OF_IMAGES}").items
        places[f"sorted by {way}"] = [getattr(row, OF_IMAGES) for row in rows]
        places[f"narrowed by {way}"] = [row.name for row in store.images.page(project_id, filtered).items]
    return places


def over_http(services: Services, project_id: str) -> dict[str, Any]:
    with TestClient(application(services), base_url="http://localhost") as client:
        address = f"/api/projects/{project_id}"
        images = client.get(f"{address}/images?sort=-{OF_IMAGES}&fields={OF_IMAGES}").json()["images"]
        few = client.get(f"{address}/images?{OF_IMAGES}_min=0.5").json()["images"]
        objects = client.get(f"{address}/objects?sort=-{OF_SPHEROIDS}").json()["objects"]
        some = client.get(f"{address}/objects?{OF_SPHEROIDS}_min=0.5").json()["objects"]
        one = client.get(f"/api/images/{few[0]['id']}").json()
        own = client.get(f"/api/images/{few[0]['id']}/objects").json()["objects"]
        document = json.dumps(client.get("/api/openapi.json").json())
    return {
        "API of images": [row[OF_IMAGES] for row in images],
        "API of images, narrowed": [row[OF_IMAGES] for row in few],
        "API of an image": one[OF_IMAGES],
        "API of spheroids": [row[OF_SPHEROIDS] for row in objects],
        "API of spheroids, narrowed": [row[OF_SPHEROIDS] for row in some],
        "API of an image's spheroids": [row[OF_SPHEROIDS] for row in own],
        "OpenAPI": [
            f'"{name}{end}"' in document for name in (OF_IMAGES, OF_SPHEROIDS) for end in ("", "_min")
        ],
    }


def exported(services: Services, project_id: str) -> dict[str, Any]:
    parts = frozenset({Part.CSV, Part.XLSX, Part.PARQUET})
    export_id = services.exports.start(ExportRequest(project_id, parts, None))
    wait_until(lambda: not services.exports.get(export_id).open, 60.0)
    archive = zipfile.ZipFile(services.exports.take(export_id)[1])
    book = openpyxl.load_workbook(io.BytesIO(archive.read("results.xlsx")))
    formulas = csv.DictReader(io.StringIO(archive.read("formulas.csv").decode()))
    cells_by_file: dict[str, Any] = {
        "formulas.csv": [row["column"] for row in formulas if row["formula"] == "by eye"]
    }
    for table, name in (("images", OF_IMAGES), ("objects", OF_SPHEROIDS)):
        rows = csv.DictReader(io.StringIO(archive.read(f"{table}.csv").decode()))
        cells_by_file[f"{table}.csv"] = [float(row[name]) for row in rows]
        header, *cells = book[table].iter_rows(values_only=True)
        cells_by_file[f"{table} of results.xlsx"] = [row[header.index(name)] for row in cells]
        frame = pl.read_parquet(io.BytesIO(archive.read(f"{table}.parquet")))
        cells_by_file[f"{table}.parquet"] = [str(frame.schema[name]), *frame[name].to_list()]
    return cells_by_file


def shown() -> dict[str, Any]:
    grids = (
        (grid_columns.image_columns(), OF_IMAGES),
        (grid_columns.object_columns(calibrated=True), OF_SPHEROIDS),
    )
    columns = [next(item for item in grid if item.get("field") == name) for grid, name in grids]
    return {
        "grids": [[item["headerName"], item["colId"], item["context"]["param"]] for item in columns],
        "filters": [image_filter.numbers(True)[OF_IMAGES], measurements_panel.labels(True)[OF_SPHEROIDS]],
    }


def measured_by_command_line() -> dict[str, Any]:
    spheroids = (disc(**{OF_SPHEROIDS: 0.5}),)
    result = Segmentation(np.zeros((1, 1), np.int32), spheroids, "classical", "3", {}, {})
    file, size = export_rows.SourceFile("a.png", "a.png"), export_rows.UsedPixelSize()
    image = export_rows.measured_image(file, None, size, result)
    (spheroid,) = export_rows.measured_objects(file, result, size)
    return {"command line": [image[OF_IMAGES], spheroid[OF_SPHEROIDS]]}


def main() -> None:
    services = Services.open(Settings(data=FOLDER / "data-of-test"))
    services.queue.drain(5)
    project_id = fill(services)
    places = listed(services, project_id) | over_http(services, project_id)
    places |= exported(services, project_id) | shown() | measured_by_command_line()
    services.close()
    print(json.dumps(places))


main()
