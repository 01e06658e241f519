"""Maps that are kept: the same outlines come out of them as at first."""

import io

import numpy as np
import pytest

from core.errors import InvalidRequest, SegmentationError
from core.segmentation import EngineOutput, SegmentationParams, delineate, predict
from core.segmentation.engines.base import Prediction
from core.segmentation.engines.stored_maps import pack, rounded, unpack
from tests.engines import ENGINES, segment
from tests.segmentation.shapes import field, stored

PICTURE = stored(field([(110, 120, 40), (330, 130, 55)], noise=0.02), np.uint16, 4095)
DEFAULTS = SegmentationParams()


@pytest.mark.parametrize("engine", [pytest.param("unet", marks=pytest.mark.slow), "classical"])
def test_other_settings_from_kept_maps_are_as_if_segmented_anew(engine):
    chosen = ENGINES.get(engine)
    maps = EngineOutput.unpack(predict(PICTURE, DEFAULTS, chosen).pack(), chosen, DEFAULTS)
    for params in (DEFAULTS, SegmentationParams(sensitivity=0.3, outline="core", min_diameter_px=30.0)):
        again, anew = delineate(PICTURE, maps, params), segment(PICTURE, params, engine)
        assert np.array_equal(again.labels, anew.labels)
        assert [item.measurements for item in again.spheroids] == [
            item.measurements for item in anew.spheroids
        ]
        assert (again.confidence, again.params) == (anew.confidence, anew.params)
        assert again.engine_version == chosen.version


def test_settings_that_change_what_is_seen_need_the_engine():
    seen = predict(PICTURE, DEFAULTS, ENGINES.get("classical"))
    for params in (SegmentationParams(polarity="bright"), SegmentationParams(working_long_side_px=256)):
        with pytest.raises(InvalidRequest, match="segmented anew"):
            delineate(PICTURE, seen, params)


def test_every_map_comes_back():
    rng = np.random.default_rng(0)
    maps = {name: rng.random((20, 30), np.float32) for name in ("inside", "core", "second", "sharpness")}
    traits = rng.normal(size=5).astype(np.float32)
    made = rounded(
        Prediction(**maps, traits=traits, speck_px=3, waver_px=1.5, standing_out=0.25, core_edge=1.5)
    )
    back = unpack(pack(made))
    for name in (*maps, "traits"):
        assert np.array_equal(getattr(back, name), getattr(made, name)), name
        assert getattr(back, name).dtype == np.float32
    assert (back.speck_px, back.waver_px, back.standing_out, back.core_edge) == (3, 1.5, 0.25, 1.5)
    assert np.abs(made.inside - maps["inside"]).max() <= 0.5 / 255 + 1e-6


def test_maps_that_an_engine_does_not_make_stay_away():
    back = unpack(pack(Prediction(np.zeros((4, 5), np.float32))))
    assert back.core is back.second is back.traits is back.sharpness is None


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"x" * 100])
def test_other_bytes_are_refused(data):
    with pytest.raises(SegmentationError, match="Segment it again"):
        unpack(data)


def test_pickled_objects_are_not_opened():
    file = io.BytesIO()
    np.savez(file, inside=np.array([{}], object))
    with pytest.raises(SegmentationError):
        unpack(file.getvalue())
