"""Names of files to be saved, made from names that users chose, and safe on every system."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from core.models import Image

MAX_NAME = 200
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')  # on one system or another
# Windows keeps these for devices, whatever stands after the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def file_name(name: str, keep: int = MAX_NAME) -> str:
    """Return ``name`` as one that any system can save: no folders, no invisible characters, not hidden.

    Of a longer name its last ``keep`` characters stay, which hold the suffix.
    """
    kinds = ((char, unicodedata.category(char)[0]) for char in name)
    visible = "".join(" " if kind == "Z" else char for char, kind in kinds if kind != "C")
    safe = _NOT_IN_NAMES.sub("_", visible)[-keep:].strip(" .") or "download"
    return f"_{safe}" if _DEVICES.match(safe) else safe


def uploaded_name(image: Image) -> str:
    """Return the file's name without the page number that its images' names end in."""
    return image.name.removesuffix(f"#{image.page}")


def stem(image: Image) -> str:
    """Return the image's name, its folders included, without its file's suffix.

    Pages of one file have different stems.
    """
    uploaded = uploaded_name(image)
    suffix = PurePath(uploaded).suffix
    return uploaded.removesuffix(suffix) + image.name[len(uploaded) :].replace("#", "_")


class UniqueNames:
    """Makes names that differ also where a system ignores capitals: ``a``, ``A_2``, ``a_3``."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, name: str, suffix: str = "") -> str:
        """Return ``name`` made safe, with ``suffix``, and different from every name returned before."""
        safe = file_name(name, MAX_NAME // 2)
        number, candidate = 1, f"{safe}{suffix}"
        while candidate.casefold() in self._taken:
            number += 1
            candidate = f"{safe}_{number}{suffix}"
        self._taken.add(candidate.casefold())
        return candidate
