"""The scale bar: a round number of micrometres, as long as it says, in the lower right corner."""

import numpy as np
import pytest

from core.images import scale_bar


@pytest.mark.parametrize(
    ("um", "length"), [(1.0, 1.0), (4.9, 2.0), (5.0, 5.0), (278.5, 200.0), (1999.0, 1000.0), (0.37, 0.2)]
)
def test_lengths_are_round(um: float, length: float) -> None:
    assert scale_bar.round_length(um) == pytest.approx(length)


def test_the_words_have_their_unit() -> None:
    assert [scale_bar.words(um) for um in (0.5, 200.0, 2000.0)] == ["0.5 µm", "200 µm", "2 mm"]


@pytest.mark.parametrize("um_per_px", [0.325, 1.36, 5.0])
def test_the_bar_is_as_long_as_its_words_say(um_per_px: float) -> None:
    picture = np.full((400, 600, 3), 90, np.uint8)
    scale_bar.draw(picture, um_per_px)
    um = scale_bar.round_length(600 * um_per_px * scale_bar.SHARE)
    white = (picture == 255).all(axis=2)
    assert white.sum(axis=1).max() == pytest.approx(um / um_per_px, abs=1)
    assert not white[:300].any()
    assert (picture[:, :300] == 90).all(), "the rest of the picture stays"


def test_without_a_pixel_size_or_room_nothing_is_drawn() -> None:
    large, small = np.full((400, 600, 3), 90, np.uint8), np.full((40, 50, 3), 90, np.uint8)
    scale_bar.draw(large, None)
    scale_bar.draw(small, 1.0)
    assert (large == 90).all()
    assert (small == 90).all()
