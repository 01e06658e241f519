"""The demo plate: 288 small 12-bit files with their pixel size, and a biology that can be found in them."""

import io
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from core.demo.plate import PROBLEMS, WellProblem, demo_plate, dose_micromolar, manifest
from core.models import Limits
from tests import corpus

FIRST = 7


@pytest.fixture(scope="module")
def plate() -> list:
    return list(islice(demo_plate(), FIRST))


def test_the_plate_has_every_well_on_every_day() -> None:
    truths = manifest()
    assert [truths[index].name for index in (0, 1, 3, 287)] == [
        "A01_day1.tif",
        "A01_day2.tif",
        "A02_day1.tif",
        "H12_day3.tif",
    ]
    assert len({truth.name for truth in truths}) == len(truths) == 288


def test_files_are_drawn_one_by_one_in_the_manifests_order(plate: list) -> None:
    assert [file.name for file in plate] == [truth.name for truth in manifest()[:FIRST]]


def test_the_same_seed_gives_the_same_files(plate: list) -> None:
    assert next(demo_plate()) == plate[0]
    assert next(demo_plate(seed=1)).data != plate[0].data
    assert manifest(1) == manifest(1) != manifest(2)


def test_files_are_small_and_read_back_exactly(plate: list) -> None:
    for file in plate:
        assert len(file.data) < 60e6 / 288
        (facts,) = corpus.inspect(file.data, Limits())
        assert (facts.width, facts.height, facts.channels, facts.dtype) == (384, 384, 1, "uint16")
        assert facts.bit_depth == 12
        assert facts.um_per_px == 2.5
        with Image.open(io.BytesIO(file.data)) as picture:
            assert np.array_equal(corpus.decode(file.data, facts.page, Limits()).pixels, np.asarray(picture))


def test_doses_rise_by_half_a_decade_from_column_three() -> None:
    doses = [dose_micromolar(column) for column in range(1, 13)]
    assert doses[:3] == [0, 0, 0.01]
    assert np.diff(np.log10(doses[2:])) == pytest.approx(0.5)


def test_vehicle_grows_and_the_highest_dose_shrinks() -> None:
    growth = {}
    for dose in (0.0, dose_micromolar(12)):
        days = [
            np.mean(
                [
                    sum(t.diameters_um)
                    for t in manifest()
                    if (t.day, t.dose_micromolar, t.problem) == (day, dose, None)
                ]
            )
            for day in (1, 2, 3)
        ]
        growth[dose] = days[1] / days[0], days[2] / days[1]
    assert growth[0.0] == pytest.approx((1.3, 1.3), rel=0.03)
    assert max(growth[dose_micromolar(12)]) < 0.8


def test_wells_of_one_dose_scatter() -> None:
    sizes = [truth.diameters_um[0] for truth in manifest() if truth.day == 3 and truth.well[1:] == "01"]
    assert 0.02 < np.std(sizes) / np.mean(sizes) < 0.1


def test_every_kind_of_problem_is_on_the_plate_on_all_days() -> None:
    assert set(PROBLEMS.values()) == set(WellProblem)
    count = {WellProblem.EMPTY: 0, WellProblem.TWO_SPHEROIDS: 2}
    for truth in manifest():
        assert truth.problem == PROBLEMS.get(truth.well)
        assert len(truth.diameters_um) == count.get(truth.problem, 1)
        assert list(truth.diameters_um) == sorted(truth.diameters_um, reverse=True)


@pytest.mark.slow
def test_the_whole_plate_is_under_60_mb_and_no_two_files_are_alike() -> None:
    files = list(demo_plate())
    assert [file.name for file in files] == [truth.name for truth in manifest()]
    assert sum(len(file.data) for file in files) < 60e6
    assert len({file.data for file in files}) == 288
