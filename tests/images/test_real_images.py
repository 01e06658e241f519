"""Every image of the sets beside the checkout decodes, and says of its pixel size what is known of it."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from core.images import decode, inspect
from core.models import Limits
from tests import corpus

LIMITS = Limits()

SETS = {
    "a673_spheroids_parent": (40, 1, "uint16", None),
    "fucci_melanoma_spheroids_browning": (5, 4, "uint8", None),
    "intestinal_organoids_diez": (3, 1, "uint8", 4.3229),
    "ipsc_aggregates_waller": (23, 1, "uint8", None),
    "mls11_spheroids_dagostino": (8, 1, "uint16", 1.3622),
    "orgaquant_intestinal_unlabelled": (8, 1, "uint8", None),
    "spheroid_invasion_fluo_mungai": (12, 1, "uint8", None),
}


@pytest.mark.datasets
@pytest.mark.parametrize("name", SETS)
def test_real_images_decode(name: str) -> None:
    n_files, n_pages, dtype, um_per_px = SETS[name]
    files = sorted((corpus.datasets() / name / "images").iterdir())
    assert len(files) == n_files
    for file in files:
        pages = inspect(file, LIMITS)
        assert [facts.page for facts in pages] == list(range(1, n_pages + 1)), file.name
        assert {facts.dtype for facts in pages} == {dtype}, file.name
        sizes = {facts.um_per_px and round(facts.um_per_px, 4) for facts in pages}
        assert sizes == {um_per_px}, file.name


@pytest.mark.datasets
def test_real_tiffs_are_as_tifffile_reads_them() -> None:
    files = [
        *sorted((corpus.datasets() / "mls11_spheroids_dagostino" / "images").iterdir()),
        *sorted((corpus.datasets() / "fucci_melanoma_spheroids_browning" / "images").iterdir())[:2],
    ]
    for file in files:
        stack = tifffile.imread(file)
        stack = stack[None] if stack.ndim == 2 else stack
        for facts in inspect(file, LIMITS):
            raster = decode(file, facts.page, LIMITS)
            np.testing.assert_array_equal(raster.pixels, stack[facts.page - 1])
