"""Find the files that a batch measures, and name their results."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.images.formats import SUFFIXES


@dataclass(frozen=True, slots=True)
class Input:
    """One file to measure. ``stem`` is its outputs' name, which no other input of the batch has."""

    path: Path
    stem: str


def find_inputs(paths: Iterable[Path]) -> tuple[Input, ...]:
    """Files to measure: those named, and of each folder the image files that lie in it, in natural order.

    Subfolders and hidden files are left out, and so are files whose suffix is no image's. A file that is
    reached twice is taken once.
    """
    files_by_path: dict[str, Path] = {}
    for path in paths:
        for file in _expand(path):
            files_by_path.setdefault(os.path.realpath(file), file)
    files = list(files_by_path.values())
    return tuple(map(Input, files, _unique_stems([file.stem for file in files])))


def _expand(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        files = [item for item in path.iterdir() if item.suffix.lower() in SUFFIXES and item.is_file()]
    except OSError:
        return [path]  # reading it says why in its row
    return sorted((item for item in files if not item.name.startswith(".")), key=_natural)


def _natural(path: Path) -> tuple[list[int | str], str]:
    """Sorting key that puts A2 before A10."""
    parts = re.split("([0-9]+)", path.name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name


def _unique_stems(stems: Sequence[str]) -> list[str]:
    """The stems with ``_2``, ``_3``… on repeats, told apart as folders that ignore case do.

    A number never makes a stem equal to another input's own, so that one keeps its name wherever it stands.
    """
    own, taken, unique = {stem.casefold() for stem in stems}, set[str](), []
    tries: dict[str, int] = {}
    for stem in stems:
        name, key = stem, stem.casefold()
        while name.casefold() in taken or (name != stem and name.casefold() in own):
            tries[key] = tries.get(key, 1) + 1
            name = f"{stem}_{tries[key]}"
        taken.add(name.casefold())
        unique.append(name)
    return unique
