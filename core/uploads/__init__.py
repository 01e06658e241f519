"""Uploads: files received in pieces, over as many requests as it takes, and judged once they are complete.

What has arrived lies in the data folder's ``uploads``, and a row of the database says what became of it: so a
file is taken in although its sender has left, and one that never came is named. A folder that an instrument
writes to is watched in the same way.
"""

from __future__ import annotations

from core.uploads.part import UploadPart
from core.uploads.uploads import Uploads

__all__ = ["UploadPart", "Uploads"]
