"""Metrics of uploaded files: what became of them, and why some were refused."""

from __future__ import annotations

from core.ingest import UploadVerdict
from core.monitoring import REFUSED, Kind, Recorder


def count_file(recorder: Recorder, verdict: UploadVerdict) -> None:
    """Record the verdict on one file, a refusal by the code of its reason."""
    if verdict.code is None:
        recorder.record(Kind.FILE, verdict.outcome.value, 0.0)
    else:
        recorder.record(Kind.FILE, verdict.code, 0.0, REFUSED)
