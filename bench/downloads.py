"""What downloads cost the app: memory while it makes and sends 2 GB, and tables from disk or memory."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

from bench.plates import plate
from bench.report import Bar, Cell, Report, median_p95
from bench.running import Served, served

PARTS = ("csv", "xlsx", "parquet", "masks", "rois", "coco", "originals")
CUTS = 50
PIECE = 2**18
MB = 1e6


def run(quick: bool) -> Report:
    """Export a project of 2 GB (quick: 100 MB), take it whole and with 50 interruptions, and time tables."""
    report = Report("downloads")
    n_images, n_rows, rounds = (20, 5_000, 1) if quick else (400, 100_000, 3)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        large = plate(data, "large", n_images, 3)
        many = plate(data, "many", n_rows // 1000, 1000, side_px=64)
        small = plate(data, "warm-up", 2, 3)
        with served(data) as app:
            _warm_up(app, small)
            _archive(report, app, large)
        for streaming in ("on", "off") * rounds:
            with served(data, {"STREAMING": streaming}) as app:
                _warm_up(app, small)
                report.rows.append(_table(app, many, streaming))
    _compare_tables(report)
    return report


def _warm_up(app: Served, project_id: str) -> None:
    """Whatever is loaded at its first use is no cost of size."""
    export = app.export(project_id, PARTS)
    for address in (export["download"], f"/downloads/projects/{project_id}/objects.csv"):
        for _ in _pieces(app, address):
            pass


def _archive(report: Report, app: Served, project_id: str) -> None:
    before = app.peak.begin()
    start = time.perf_counter()
    export = app.export(project_id, PARTS)
    assert export["state"] == "ready", export
    made_s, size = time.perf_counter() - start, export["n_bytes"]
    report.rows.append(_row("make an archive", size, made_s, app.peak.highest - before))
    address = export["download"]
    start = time.perf_counter()
    whole = _digest(_pieces(app, address))
    report.rows.append(_row("take it whole", size, time.perf_counter() - start, app.peak.highest - before))
    start = time.perf_counter()
    resumed = _digest(_with_cuts(app, address, size))
    seconds = time.perf_counter() - start
    report.rows.append(_row(f"take it with {CUTS} cuts", size, seconds, app.peak.highest - before))
    growth = app.peak.highest - before
    report.bars.append(Bar(f"growth of memory by an archive of {size / 1e9:.2f} GB", growth, 100, "MB"))
    same = CUTS if resumed == whole else 0
    report.bars.append(Bar("cuts after which the download was the same to the byte", same, CUTS, "", False))


def _table(app: Served, project_id: str, streaming: str) -> dict[str, Cell]:
    before = app.peak.begin()
    start = time.perf_counter()
    pieces = _pieces(app, f"/downloads/projects/{project_id}/objects.csv")
    size = len(next(pieces))
    first_s = time.perf_counter() - start
    size += sum(map(len, pieces))
    row = _row(
        f"objects.csv, STREAMING={streaming}", size, time.perf_counter() - start, app.peak.highest - before
    )
    return row | {"first_byte_s": first_s}


def _compare_tables(report: Report) -> None:
    sides = {}
    for streaming in ("on", "off"):
        mine = [row for row in report.rows if str(row["what"]).endswith(f"STREAMING={streaming}")]
        sides[streaming] = {
            name: median_p95([float(row[name] or 0) for row in mine])[0]
            for name in ("first_byte_s", "grown_mb")
        }
    for name, unit in (("first_byte_s", "s"), ("grown_mb", "MB")):
        on, off = sides["on"][name], sides["off"][name]
        report.bars.append(
            Bar(f"{name} of a table, sent from disk (median; {off:.3g} {unit} if not)", on, off, unit)
        )


def _row(what: str, size: int, seconds: float, grown: float) -> dict[str, Cell]:
    return {
        "what": what,
        "mb": size / MB,
        "seconds": seconds,
        "mb_per_s": size / MB / seconds,
        "grown_mb": grown,
        "first_byte_s": None,
    }


def _pieces(app: Served, address: str, headers: dict[str, str] | None = None) -> Iterator[bytes]:
    with urlopen(Request(app.address + address, headers=headers or {}), timeout=300) as answer:
        while piece := answer.read(PIECE):
            yield piece


def _with_cuts(app: Served, address: str, size: int) -> Iterator[bytes]:
    """As a browser goes on after each of 50 interruptions at random places."""
    with urlopen(Request(app.address + address, method="HEAD"), timeout=60) as answer:
        tag = answer.headers["ETag"]
    chosen = random.Random(6)
    ends = [*sorted(chosen.randrange(size) for _ in range(CUTS)), size]
    at = 0
    for end in ends:
        headers = {"Range": f"bytes={at}-", "If-Range": tag}
        for piece in _pieces(app, address, headers):
            yield piece[: end - at]
            at += len(piece[: end - at])
            if at >= end:
                break


def _digest(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
