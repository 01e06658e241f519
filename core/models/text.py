"""Names that people type, as one line, and sentences that several parts of the app say."""

from __future__ import annotations

import unicodedata

NO_PROJECT = "This project does not exist, or has been deleted."
NO_IMAGE = "This image does not exist, or has been deleted."


def one_line(text: str) -> str:
    """Return ``text`` as one line: no control characters, and one space for each run of white space."""
    spaced = " ".join(text.split())  # line ends are control characters, too, but part words
    return " ".join("".join(char for char in spaced if unicodedata.category(char)[0] != "C").split())
