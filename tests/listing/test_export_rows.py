"""Exported rows: columns as promised, exact numbers, empty where unknown, safe in a spreadsheet."""

import csv
import io
import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import __version__
from core.errors import NotAnImage
from core.listing import csv_table, export_rows, image_table, object_table
from core.models import (
    MEASUREMENTS,
    Contour,
    ImageQuality,
    PageFacts,
    PixelSizeSource,
    Segmentation,
    Spheroid,
)

FACTS = PageFacts(1, 640, 480, 1, "uint16", 12, 2.5, "OME")
SIZED = export_rows.UsedPixelSize(2.5, PixelSizeSource.FILE)
UNSIZED = export_rows.UsedPixelSize()
FILE = export_rows.SourceFile("folder/a.tif", "a.tif", "ab" * 32)


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
    assert export_rows.OBJECT_HEADER[:11] == (
        "path",
        "image",
        "um_per_px",
        "um_per_px_source",
        "object",
        "area_px2",
        "area_um2",
        "perimeter_px",
        "perimeter_um",
        "equivalent_diameter_px",
        "equivalent_diameter_um",
    )
    assert {"volume_sphere_um3", "feret_min_um", "circularity", "touches_border"} < set(
        export_rows.OBJECT_HEADER
    )
    assert not {"circularity_um", "centroid_x_um", "n_holes_um"} & set(export_rows.OBJECT_HEADER)
    assert export_rows.OBJECT_HEADER[-13:] == (
        "confidence",
        "look_at_this",
        "reasons",
        "review",
        "review_reason",
        "outline",
        "outline_version_id",
        "engine",
        "engine_version",
        "params",
        "version_id",
        "version_kind",
        "spheroscope_version",
    )
    assert set(export_rows.OBJECT_HEADER) > {column.export_name for column in MEASUREMENTS}


def test_columns_in_pixels_carry_their_unit_in_the_name() -> None:
    units = {"px": "_px", "px²": "_px2", "px³": "_px3", "µm": "_um", "µm²": "_um2", "µm³": "_um3"}
    for table in (image_table.EXPORTED, object_table.EXPORTED):
        for name, column in table.items():
            if column.unit in units:
                assert name.endswith(units[column.unit])
    assert {"centroid_x_px", "bbox_width_px", "volume_sphere_px3"} < set(export_rows.OBJECT_HEADER)
    assert {"width_px", "largest_equivalent_diameter_px"} < set(export_rows.IMAGE_HEADER)


def test_every_object_says_whose_pixel_size_settings_and_confidence_it_has() -> None:
    (row,) = export_rows.measured_objects(FILE, segmentation(replace(spheroid(), confidence=0.5)), SIZED)
    assert (row["path"], row["image"]) == ("folder/a.tif", "a.tif")
    assert (row["um_per_px"], row["um_per_px_source"]) == (2.5, "file")
    assert (row["confidence"], row["look_at_this"]) == (0.5, True)
    assert json.loads(str(row["params"])) == {"a": "µ", "b": 1}
    assert (row["version_kind"], row["version_id"]) == ("automatic", None)
    assert (row["outline"], row["outline_version_id"]) == ("automatic", None)


def test_numbers_have_all_digits_or_as_many_as_are_asked_for() -> None:
    size = export_rows.UsedPixelSize(1.23456789, PixelSizeSource.USER)
    (row,) = export_rows.measured_objects(FILE, segmentation(spheroid(area=1234567, solidity=2 / 3)), size)
    assert export_rows.shortened(row, None) == row
    short = export_rows.shortened(row, 6)
    assert (row["solidity"], short["solidity"]) == (2 / 3, 0.666667)
    assert short["area_um2"] == float(f"{row['area_um2']:.6g}")
    assert (short["area_px2"], short["um_per_px"]) == (1234567, 1.23456789), "counts and pixel sizes stay"


def test_lengths_areas_and_volumes_scale_by_their_power() -> None:
    measured = segmentation(spheroid(area=100, perimeter=7.0, volume_sphere=8.0))
    (row,) = export_rows.measured_objects(FILE, measured, SIZED)
    assert (row["area_um2"], row["perimeter_um"], row["volume_sphere_um3"]) == (625.0, 17.5, 125.0)
    assert (row["area_px2"], row["circularity"]) == (100, 1.0)


def test_uncalibrated_rows_have_every_twin_empty() -> None:
    row = next(export_rows.measured_objects(FILE, segmentation(spheroid()), UNSIZED))
    twins = {column.name + column.dimension.um_suffix for column in MEASUREMENTS if column.dimension.power}
    assert {row[name] for name in twins} == {None}
    assert {row[column.export_name] for column in MEASUREMENTS} == {1.0}


def test_what_cannot_be_computed_is_empty_with_its_reason() -> None:
    text = written(
        list(
            export_rows.measured_objects(
                FILE, segmentation(spheroid(eccentricity=None, perimeter=None)), SIZED
            )
        ),
        export_rows.OBJECT_HEADER,
    )
    (row,) = read(text)
    assert (row["eccentricity"], row["perimeter_px"], row["perimeter_um"]) == ("", "", "")
    assert row["reasons"] == "eccentricity: one pixel"


def test_a_measured_image() -> None:
    result = segmentation(
        spheroid(1, area=12, equivalent_diameter=4.0), spheroid(2, area=78, equivalent_diameter=10.0)
    )
    result = replace(result, quality=ImageQuality(2.5, 12))
    row = export_rows.measured_image(FILE, FACTS, SIZED, result, 0.25)
    assert tuple(row) == export_rows.IMAGE_HEADER
    (cells,) = read(written([row], export_rows.IMAGE_HEADER))
    assert json.loads(cells.pop("params")) == {"a": "µ", "b": 1}
    assert cells == {
        "path": "folder/a.tif",
        "image": "a.tif",
        "status": "done",
        "error_code": "",
        "error": "",
        "page": "1",
        "width_px": "640",
        "height_px": "480",
        "bit_depth": "12",
        "um_per_px": "2.5",
        "um_per_px_source": "file",
        "um_per_px_file": "2.5",
        "um_per_px_from": "OME",
        "n_objects": "2",
        "largest_equivalent_diameter_px": "10.0",
        "largest_equivalent_diameter_um": "25.0",
        "confidence": "",
        "look_at_this": "false",
        "edge_blur_percent": "2.5",
        "specks": "12",
        "review": "",
        "review_reason": "",
        "reviewed_by": "",
        "reviewed_at": "",
        "engine": "classical",
        "engine_version": "3",
        "version_id": "",
        "version_kind": "automatic",
        "spheroscope_version": __version__,
        "seconds": "0.25",
        "mask": "",
        "overlay": "",
        "original": "",
        "sha256": "ab" * 32,
    }


def test_the_files_own_pixel_size_stands_beside_one_that_was_typed() -> None:
    typed = export_rows.UsedPixelSize(1.5, PixelSizeSource.USER)
    row = export_rows.measured_image(FILE, FACTS, typed, segmentation())
    assert (row["um_per_px"], row["um_per_px_source"]) == (1.5, "user")
    assert (row["um_per_px_file"], row["um_per_px_from"]) == (2.5, "OME")


def test_an_image_without_spheroids_has_a_count_and_no_diameter() -> None:
    row = export_rows.measured_image(FILE, FACTS, SIZED, segmentation())
    assert (row["n_objects"], row["largest_equivalent_diameter_px"]) == (0, None)


def test_a_failed_image() -> None:
    row = export_rows.measured_image(FILE, None, UNSIZED, NotAnImage("No picture."))
    assert (row["status"], row["error_code"], row["error"]) == ("failed", "not_an_image", "No picture.")
    assert row["n_objects"] is row["width_px"] is row["um_per_px"] is None


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
        *export_rows.OBJECT_HEADER[5:-12],
        "largest_equivalent_diameter_px",
        "largest_equivalent_diameter_um",
        "confidence",
        "edge_blur_percent",
        "specks",
    }
    assert all(row["unit"] and row["formula"] for row in rows.values())
    assert rows["area_um2"] == {"column": "area_um2", "unit": "µm²", "formula": "area_px2 × um_per_px²"}
    assert (rows["circularity"]["unit"], rows["intensity_mean"]["unit"], rows["feret_max_px"]["unit"]) == (
        "ratio",
        "raw units",
        "px",
    )
