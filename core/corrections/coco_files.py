"""Outlines as COCO: polygons and runs of many pictures in one file of JSON.

What is wrong with a picture's annotations is the error of that picture; the others come in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.corrections.outline_drawing import (
    LabelDrawing,
    Labels,
    Points,
    Shape,
    require_labels,
    require_shape,
)
from core.corrections.outline_files import OutlinedPicture, picture_not_drawn
from core.errors import InvalidRequest

MAX_JSON_BYTES = 32 * 2**20
MAX_MEMORY_BYTES = 256 * 2**20  # of the file's content as Python has it
MAX_PICTURES = 10_000
MAX_ANNOTATIONS = 100_000
MAX_RUN_LETTERS = 1_000_000  # of one outline in the text form
_NO_COCO = "This is not a COCO file: it lacks images or annotations."
# What a value takes at most in Python 3.11, by the sign that it cannot do without: an object, a list, a
# member's name, a string's quote (it has two), and whatever stands before a comma.
_BYTES_OF_SIGNS = {b"{": 256, b"[": 128, b":": 192, b'"': 32, b",": 64}


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of background and object by turns, column by column; as numbers or in COCO's text form."""

    size: tuple[Any, ...]
    counts: str | NDArray[np.int64]


@dataclass(slots=True)
class _Picture:
    name: str
    outlines: list[_Runs | list[Points]] = field(default_factory=list)
    problem: str = ""  # the first of its annotations', where one has any


def json_memory_bytes(data: bytes) -> int:
    """Return what the content of a JSON file takes in memory at most, once it is parsed.

    Raises:
        InvalidRequest: that is more than a file of outlines may take.
    """
    if len(data) > MAX_JSON_BYTES:
        raise InvalidRequest(
            f"A COCO file may have {MAX_JSON_BYTES // 2**20} MiB. Split it into files of fewer images."
        )
    text = 2 * len(data) * (1 if data.isascii() else 4)
    n_bytes = text + sum(data.count(sign) * size for sign, size in _BYTES_OF_SIGNS.items())
    if n_bytes > MAX_MEMORY_BYTES:
        raise InvalidRequest("This COCO file holds too much at once. Split it into files of fewer images.")
    return n_bytes


def pictures_of_coco(name: str, data: bytes) -> list[OutlinedPicture]:
    """Return the pictures of a COCO file; hold ``json_memory_bytes`` meanwhile.

    Of annotations that belong to no picture there is one of the file's ``name`` that says so.

    Raises:
        InvalidRequest: it is no such file, or has too many pictures or annotations.
    """
    try:
        content = json.loads(data)
        pictures = {item["id"]: _Picture(str(item["file_name"])) for item in content["images"]}
        annotations = list(content["annotations"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidRequest(_NO_COCO) from error
    if len(pictures) > MAX_PICTURES or len(annotations) > MAX_ANNOTATIONS:
        raise InvalidRequest(
            f"A COCO file may have {MAX_PICTURES:,} images and {MAX_ANNOTATIONS:,} annotations. "
            "Split it into files of fewer images."
        )
    strays = sum(not _add(pictures, number, item) for number, item in enumerate(annotations, start=1))
    taken = [_outlined(picture) for picture in pictures.values()]
    if strays:
        words = "1 annotation names" if strays == 1 else f"{strays:,} annotations name"
        message = f"{words} no image that the file lists, and nothing was made of that."
        taken.append(picture_not_drawn(name, message, message))
    return taken


def _add(pictures: Mapping[Any, _Picture], number: int, item: Any) -> bool:
    """Add an annotation to its picture; False where it names none."""
    try:
        picture = pictures[item["image_id"]]
    except (KeyError, TypeError):
        return False
    try:
        outline = _outline(item.get("segmentation"))
    except (ValueError, KeyError, TypeError, AttributeError):
        picture.problem = picture.problem or f"Annotation {number} is no outline."
    else:
        if outline is None:
            picture.problem = picture.problem or f"Annotation {number} has no outline (segmentation)."
        else:
            picture.outlines.append(outline)
    return True


def _outline(item: Any) -> _Runs | list[Points] | None:
    """A segmentation in few bytes, yet to be checked; None where there is none, as of a mere box."""
    if item is None or item == []:
        return None
    if not isinstance(item, dict):
        return [np.asarray(flat, np.float64).reshape(-1, 2) for flat in item]
    counts, size = item["counts"], tuple(item["size"])
    if isinstance(counts, str):
        return _Runs(size, counts)
    try:
        return _Runs(size, np.asarray(counts, np.int64).reshape(-1))
    except OverflowError:
        return _Runs(size, np.full(1, -1))  # they fill no image


def _outlined(picture: _Picture) -> OutlinedPicture:
    problem = picture.problem
    if not problem and not picture.outlines:
        problem = "The file has no outlines of this picture, so its image was left as it is."
    if problem:
        return picture_not_drawn(picture.name, problem)
    return OutlinedPicture(picture.name, partial(_drawn, picture.outlines))


def _drawn(outlines: list[_Runs | list[Points]], shape: Shape) -> Labels:
    require_labels(len(outlines))
    drawing = LabelDrawing(shape, by_columns=any(isinstance(item, _Runs) for item in outlines))
    for number, item in enumerate(outlines, start=1):
        if isinstance(item, _Runs):
            require_shape(item.size, shape)
            counts = _decoded(item.counts) if isinstance(item.counts, str) else item.counts
            drawing.draw_runs(number, counts)
        else:
            for ring in item:
                drawing.draw(number, [ring])
    return drawing.labels


def _decoded(text: str) -> NDArray[np.int64]:
    """Numbers of COCO's text form: five bits a letter; from the fourth on, the difference to two before."""
    if len(text) > MAX_RUN_LETTERS:
        raise InvalidRequest(f"The runs of an annotation may have {MAX_RUN_LETTERS:,} letters.")
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 40:
            raise InvalidRequest("The runs of an annotation are damaged.")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if any(abs(run) > 2**62 for run in runs):
        raise InvalidRequest("The runs of an annotation are damaged.")
    return np.asarray(runs, np.int64)
