"""Pictures of what fails."""

import numpy as np

from training.failures import CAPTION_PX, COLUMNS, OURS, TILE_PX, TRUE, Failure, sheet, tile


def failure(iou: float) -> Failure:
    true, outlined = np.zeros((2, 64, 64), np.int32)
    true[10:50, 10:50], outlined[20:40, 20:40] = 1, 1
    pixels = np.random.default_rng(0).integers(0, 4000, (64, 64)).astype(np.uint16)
    return Failure(pixels, true, outlined, f"halo 0.3: IoU {iou}", iou)


def test_both_outlines_are_drawn_in_their_colours():
    picture = tile(failure(0.5))
    assert picture.shape == (TILE_PX + CAPTION_PX, TILE_PX, 3)
    colours = {tuple(int(value) for value in pixel) for pixel in picture.reshape(-1, 3)}
    assert {TRUE, OURS} <= colours


def test_the_worst_stands_first():
    picture = sheet([failure(0.6), failure(0.2), failure(0.4), failure(0.5), failure(0.7)])
    assert picture.shape == (2 * (TILE_PX + CAPTION_PX), COLUMNS * TILE_PX, 3)
    assert np.array_equal(picture[: TILE_PX + CAPTION_PX, :TILE_PX], tile(failure(0.2)))
