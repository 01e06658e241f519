"""The same picture stored another way has the same objects."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.corpus import datasets
from tests.engines import segment
from tests.segmentation.shapes import field, stored

STORED = {
    "8-bit": (np.uint8, 255),
    "12 in 16": (np.uint16, 4095),
    "14 in 16": (np.uint16, 16383),
    "16-bit": (np.uint16, 65535),
    "float": (np.float32, 1),
    "large float": (np.float32, 30_000),
}


ENGINES = (pytest.param("unet", marks=pytest.mark.slow), "classical")


@pytest.fixture(params=ENGINES)
def diameters(request):
    """Equivalent diameters of what an engine finds, from the largest down."""

    def spheroids_of(pixels):
        spheroids = segment(pixels, engine=request.param).spheroids
        return [body.measurements["equivalent_diameter"] for body in spheroids]

    return spheroids_of


@pytest.fixture(scope="module")
def scene():
    return field([(110, 120, 40), (330, 130, 55), (210, 300, 48), (420, 330, 30)], noise=0.02)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", STORED)
def test_a_scene_has_the_same_objects_however_it_is_stored(diameters, scene, kind, inverted):
    expected = diameters(stored(scene, np.uint16, 65535))
    assert len(expected) == 4
    picture = 1 - scene if inverted else scene
    assert diameters(stored(picture, *STORED[kind])) == pytest.approx(expected, rel=0.01)


def test_exposure_changes_nothing(diameters, scene):
    expected = diameters(stored(scene, np.uint16, 65535))
    assert diameters(stored(0.2 + 0.3 * scene, np.uint16, 65535)) == pytest.approx(expected, rel=0.01)


REAL = {
    "a673_spheroids_parent/images/A673_03.tiff": 1,
    "a673_spheroids_parent/images/A673_27.tiff": 1,  # known by a thin rim, which a blur would tear
    "a673_spheroids_parent/images/A673_28.tiff": 1,
    "mls11_spheroids_dagostino/images/MLS11_B07.tif": 1,
}


def real(name: str) -> np.ndarray:
    path: Path = datasets() / name
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float64)
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / (high - low)


@pytest.mark.datasets
@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("name", REAL)
def test_a_real_image_has_the_same_objects_however_it_is_stored(diameters, name, kind):
    picture = real(name)
    expected = diameters(stored(picture, np.uint16, 65535))
    for version in (picture, 1 - picture):
        measured = diameters(stored(version, *STORED[kind]))
        assert len(measured) == len(expected) >= REAL[name]
        assert measured == pytest.approx(expected, rel=0.01)


@pytest.mark.datasets
def test_the_empty_image_has_no_objects(diameters):
    path = datasets() / "a673_spheroids_parent/images/A673_19.tiff"
    assert diameters(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) == []
