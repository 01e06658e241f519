"""Exported rows: columns as promised, exact numbers, empty where unknown, safe in a spreadsheet."""

import csv
import io
import json
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import __version__
from core.errors import NotAnImage
from core.listing import csv_table, export_rows
from core.models import MEASUREMENTS, Contour, PageFacts, PixelSizeSource, Segmentation, Spheroid

FACTS = PageFacts(1, 640, 480, 1, "uint16", 12, 2.5, "OME")
SIZED = export_rows.PixelSize(2.5, PixelSizeSource.FILE)


def spheroid(number: int = 1, **values: float | bool | None) -> Spheroid:
    measurements = {column.name: 1.0 for column in MEASUREMENTS} | values
    return Spheroid(number, Contour(((0, 0), (4, 0), (4, 4))), measurements, {"eccentricity": "one pixel"})


def segmentation(*spheroids: Spheroid) -> Segmentation:
    return Segmentation(np.zeros((2, 2), np.int32), spheroids, "classical", "3", {"b": 1, "a": "µ"}, {})


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def written(rows: list, names: tuple[str, ...]) -> str:
    stream = io.StringIO(newline="")
    csv_table.write_csv(iter(rows), names, stream)
    return stream.getvalue()


def test_object_columns_are_the_measurements_each_beside_its_twin() -> None:
    assert export_rows.OBJECT_HEADER[:8] == (
        "path",
        "object",
        "area",
        "area_um2",
        "perimeter",
        "perimeter_um",
        "equivalent_diameter",
        "equivalent_diameter_um",
    )
    assert {"volume_sphere_um3", "feret_min_um", "circularity", "touches_border"} < set(
        export_rows.OBJECT_HEADER
    )
    assert not {"circularity_um", "centroid_x_um", "n_holes_um"} & set(export_rows.OBJECT_HEADER)
    assert export_rows.OBJECT_HEADER[-5:] == (
        "confidence",
        "reasons",
        "engine",
        "engine_version",
        "spheroscope_version",
    )
    assert set(export_rows.OBJECT_HEADER) > {column.name for column in MEASUREMENTS}


def test_lengths_areas_and_volumes_scale_by_their_power() -> None:
    (row,) = export_rows.measured_objects(
        "a.tif", segmentation(spheroid(area=100, perimeter=7.0, volume_sphere=8.0)), 2.5
    )
    assert (row["area_um2"], row["perimeter_um"], row["volume_sphere_um3"]) == (625.0, 17.5, 125.0)
    assert (row["area"], row["circularity"]) == (100, 1.0)


def test_uncalibrated_rows_have_every_twin_empty() -> None:
    row = next(export_rows.measured_objects("a.tif", segmentation(spheroid()), None))
    twins = {column.name + column.dimension.um_suffix for column in MEASUREMENTS if column.dimension.power}
    assert {row[name] for name in twins} == {None}
    assert {row[column.name] for column in MEASUREMENTS} == {1.0}


def test_what_cannot_be_computed_is_empty_with_its_reason() -> None:
    text = written(
        list(
            export_rows.measured_objects(
                "a.tif", segmentation(spheroid(eccentricity=None, perimeter=None)), 2.5
            )
        ),
        export_rows.OBJECT_HEADER,
    )
    (row,) = read(text)
    assert (row["eccentricity"], row["perimeter"], row["perimeter_um"]) == ("", "", "")
    assert row["reasons"] == "eccentricity: one pixel"


def test_a_measured_image() -> None:
    result = segmentation(
        spheroid(1, area=12, equivalent_diameter=4.0), spheroid(2, area=78, equivalent_diameter=10.0)
    )
    row = export_rows.measured_image("a.tif", FACTS, SIZED, result, 0.25)
    assert tuple(row) == export_rows.IMAGE_HEADER
    (cells,) = read(written([row], export_rows.IMAGE_HEADER))
    assert json.loads(cells.pop("params")) == {"a": "µ", "b": 1}
    assert cells == {
        "path": "a.tif",
        "status": "done",
        "error_code": "",
        "error": "",
        "page": "1",
        "width": "640",
        "height": "480",
        "bit_depth": "12",
        "um_per_px": "2.5",
        "um_per_px_source": "file",
        "n_objects": "2",
        "largest_equivalent_diameter": "10.0",
        "largest_equivalent_diameter_um": "25.0",
        "confidence": "",
        "engine": "classical",
        "engine_version": "3",
        "spheroscope_version": __version__,
        "seconds": "0.25",
        "mask": "",
        "overlay": "",
    }


def test_an_image_without_spheroids_has_a_count_and_no_diameter() -> None:
    row = export_rows.measured_image("a.tif", FACTS, SIZED, segmentation())
    assert (row["n_objects"], row["largest_equivalent_diameter"]) == (0, None)


def test_a_failed_image() -> None:
    row = export_rows.measured_image("a.tif", None, export_rows.PixelSize(), NotAnImage("No picture."))
    assert (row["status"], row["error_code"], row["error"]) == ("failed", "not_an_image", "No picture.")
    assert row["n_objects"] is row["width"] is row["um_per_px"] is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a\0b"])
def test_formulas_become_text(text: str) -> None:
    assert csv_table.safe_text(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a.tif", "A-1 (2).tif", "1=1", "µ", "'quoted"])
def test_plain_text_stays(text: str) -> None:
    assert csv_table.safe_text(text) == text


def test_numbers_are_written_exactly_and_never_quoted() -> None:
    values = {"a": -0.1, "b": 1 / 3, "c": np.float64(-2.5), "d": True, "e": 5e-324, "f": -7}
    text = written([values], tuple(values))
    assert text == "a,b,c,d,e,f\r\n-0.1,0.3333333333333333,-2.5,true,5e-324,-7\r\n"


def test_times_are_written_in_utc() -> None:
    assert written([{"a": datetime(2026, 11, 2, 9, 30)}], ("a",)) == "a\r\n2026-11-02T09:30:00Z\r\n"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_but_for_the_apostrophe(text: str) -> None:
    ((cell,),) = csv.reader(io.StringIO(written([{"x": text}], ("x",)).removeprefix("x\r\n"), newline=""))
    assert cell in {text, "'" + text}
    assert not cell.startswith(csv_table.RISKY_STARTS)


def test_a_column_that_is_not_promised_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        written([{"path": "a", "colour": "red"}], ("path",))


def test_rows_are_written_as_they_come() -> None:
    stream = io.StringIO()

    def rows() -> object:
        for number in range(3):
            assert stream.getvalue().count("\n") == number + 1
            yield {"n": number}

    csv_table.write_csv(rows(), ("n",), stream)


def test_every_measured_column_has_its_formula() -> None:
    rows = {row["column"]: row for row in read(export_rows.formulas_text())}
    assert rows.keys() == {
        *(name for name in export_rows.OBJECT_HEADER[2:-5]),
        "largest_equivalent_diameter",
        "largest_equivalent_diameter_um",
        "confidence",
    }
    assert all(row["unit"] and row["formula"] for row in rows.values())
    assert rows["area_um2"] == {"column": "area_um2", "unit": "µm²", "formula": "area × um_per_px²"}
    assert (rows["circularity"]["unit"], rows["intensity_mean"]["unit"], rows["feret_max"]["unit"]) == (
        "ratio",
        "raw units",
        "px",
    )
