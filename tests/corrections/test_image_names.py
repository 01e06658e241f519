"""A file of outlines is matched by path and page first, then by folder, then by its name alone."""

from __future__ import annotations

import pytest

from core.corrections.image_names import ImageNames
from core.errors import InvalidRequest
from core.files.file_names import file_name


def found(picture: str, *images: str) -> str:
    return ImageNames((name, name) for name in images).find(picture)


@pytest.mark.parametrize(
    "picture", ["A05.png", "x/a05_cp_masks.png", "C:\\lab\\A05_seg.npy", "a05_masks.tif", "a05_rois.zip"]
)
def test_folder_extension_and_what_programs_add_may_differ(picture: str) -> None:
    assert found(picture, "A05.tif", "A06.tif") == "A05.tif"


DAYS = ("day1/A01.tif", "day2/A01.tif")


@pytest.mark.parametrize(
    "picture",
    [
        "day2/A01_masks.png",
        "day2/A01.tif",
        "masks/day2/A01.png",
        "C:\\lab\\day2\\A01_seg.npy",
        file_name("day2/A01.png"),  # as this app's archives name it
    ],
)
def test_of_images_of_one_name_the_folder_tells_which(picture: str) -> None:
    assert found(picture, *DAYS) == "day2/A01.tif"


@pytest.mark.parametrize(
    "picture", ["a.tif#2", "a_masks.tif#2", "a#2.png", "a#2_masks.png", "a.tif#2.png", "a_2.png"]
)
def test_pages_of_one_file_are_told_by_their_number(picture: str) -> None:
    assert found(picture, "a.tif#1", "a.tif#2", "a.tif#3") == "a.tif#2"


def test_an_image_outside_folders_is_meant_where_none_is_named() -> None:
    assert found("A01.png", "A01.tif", *DAYS) == "A01.tif"
    assert found("A01.png", "plate/A01.tif") == "plate/A01.tif"


def test_the_same_name_with_its_extension_comes_first() -> None:
    assert found("a.tif", "a.tif", "a.png") == "a.tif"


def test_a_name_that_ends_like_a_mask_is_first_taken_as_it_stands() -> None:
    assert found("a_mask.png", "a_mask.tif", "a.tif") == "a_mask.tif"
    assert found("exp#2.png", "exp#2.tif", "exp.tif#2") == "exp#2.tif"


@pytest.mark.parametrize(
    ("picture", "images", "words"),
    [
        ("b.png", ("a.tif",), "no image of this name"),
        ("A01.png", DAYS, "day1/A01"),
        ("a.png", ("a.tif", "a.jpg"), "2 images have this name"),
        ("a.png", ("a.tif#1", "a.tif#2"), "2 pages"),
        ("a.tif#3", ("a.tif#1", "a.tif#2"), "no page 3"),
        ("a.tif#2", ("a.tif",), "no page 2"),
        ("", ("a.tif",), "no image of this name"),
        ("/", ("a.tif",), "no image of this name"),
    ],
)
def test_what_cannot_be_told_says_what_to_do(picture: str, images: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        found(picture, *images)
    assert words.lower() in caught.value.message.lower()
