"""What is taken away: tables as they are read, and whole projects packed into one archive.

``Exports`` makes archives in the background and keeps them for a while, so that a download that breaks off
can be resumed; ``Spool`` lets a table be sent while it is read, however slowly it is taken.
"""

from __future__ import annotations

from core.export.manager import ArchiveRetention, Exports
from core.export.request import Export, ExportRequest, ExportState, Part
from core.export.spool import Spool
from core.export.text import images_csv, objects_csv

__all__ = [
    "ArchiveRetention",
    "Export",
    "ExportRequest",
    "ExportState",
    "Exports",
    "Part",
    "Spool",
    "images_csv",
    "objects_csv",
]
