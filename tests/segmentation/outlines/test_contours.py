"""Outlines: exact both ways, few points."""

import numpy as np
import pytest
from hypothesis import given

from core.errors import SegmentationError
from core.models import Contour
from core.segmentation.outlines.contours import contours, rasterise
from tests.segmentation.shapes import disc, label_images


@given(label_images())
def test_contours_drawn_again_give_the_same_labels(labels):
    assert np.array_equal(rasterise(contours(labels), labels.shape), labels)


@pytest.mark.parametrize("radius", [5, 40, 300])
def test_a_large_disc_survives_too_and_has_few_points(radius):
    labels = disc(radius)
    (contour,) = contours(labels)
    assert np.array_equal(rasterise([contour], labels.shape), labels)
    assert len(contour.outer) < 3.2 * radius + 12


def test_half_is_the_centre_of_the_first_pixel():
    labels = np.zeros((5, 6), np.int32)
    labels[2, 3] = 1
    (contour,) = contours(labels)
    assert set(contour.outer) == {(3.0, 2.5), (3.5, 2.0), (4.0, 2.5), (3.5, 3.0)}


def test_collinear_points_are_dropped():
    labels = np.zeros((60, 60), np.int32)
    labels[10:50, 10:50] = 1
    (contour,) = contours(labels)
    assert len(contour.outer) <= 8


def test_holes_are_part_of_their_object_and_islands_in_them_are_not():
    labels = disc(20)
    labels[(disc(12, pad=11) > 0)] = 0
    labels[(disc(4, pad=19) > 0)] = 2
    ring, island = contours(labels)
    assert len(ring.holes) == 1
    assert island.holes == ()
    assert np.array_equal(rasterise([ring, island], labels.shape), labels)


def test_what_lies_outside_the_frame_is_cut_off():
    square = Contour(((-5.0, -5.0), (4.0, -5.0), (4.0, 4.0), (-5.0, 4.0)))
    far = Contour(((90.0, 90.0), (95.0, 90.0), (95.0, 95.0)))
    labels = rasterise([square, far], (8, 8))
    assert labels[:4, :4].all()
    assert labels.sum() == 16


def test_a_later_contour_wins_where_two_overlap():
    one = Contour(((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)))
    two = Contour(((2.0, 2.0), (6.0, 2.0), (6.0, 6.0), (2.0, 6.0)))
    labels = rasterise([one, two], (6, 6))
    assert (labels == 1).sum() == 12
    assert (labels == 2).sum() == 16


def test_an_object_in_two_parts_has_no_contour():
    with pytest.raises(SegmentationError, match="2 parts"):
        contours(np.array([[1, 0, 0, 1]], np.int32))


def test_no_labels_have_no_contours():
    assert contours(np.zeros((3, 3), np.int32)) == []
    assert not rasterise([], (3, 3)).any()
