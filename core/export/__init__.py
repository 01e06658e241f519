"""Exported files: single tables, and whole projects packed into one archive.

``Exports`` makes archives in the background and ``TableFiles`` writes tables when they are requested. Both
keep their files for a while, so that a download that breaks off can be resumed.
"""

from __future__ import annotations

from core.export.builder import refuse_too_many
from core.export.manager import ArchiveRetention, Exports
from core.export.request import Export, ExportRequest, ExportState, Part
from core.export.table_files import TableFiles, limited
from core.export.text import images_csv, objects_csv

__all__ = [
    "ArchiveRetention",
    "Export",
    "ExportRequest",
    "ExportState",
    "Exports",
    "Part",
    "TableFiles",
    "images_csv",
    "limited",
    "objects_csv",
    "refuse_too_many",
]
