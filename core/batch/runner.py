"""Measure many files in bounded memory, with rows in the order of the inputs; a bad file is a row."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from core import images
from core.batch.inputs import Input
from core.errors import (
    InvalidRequest,
    NotFound,
    SegmentationError,
    SpheroscopeError,
    StorageError,
)
from core.images import label_png, scale_bar
from core.images.rendering import draw_outlines, encode_png, to_display
from core.listing import csv_table, export_rows
from core.models import ImageStatus, Limits, PageFacts, PixelSizeSource, Raster, Segmentation
from core.segmentation import Engine, SegmentationParams, segment

LOG = logging.getLogger(__name__)

AHEAD = 3  # files waiting for each worker: enough that none idles behind a slow one


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a batch.

    ``um_per_px`` wins over what a file says; None leaves it to the file. ``digits``: significant digits of
    measured numbers in the tables; None for all.
    """

    out: Path
    engine: Engine
    um_per_px: float | None = None
    params: SegmentationParams = field(default_factory=SegmentationParams)
    workers: int = 1
    masks: bool = False
    overlays: bool = False
    limits: Limits = field(default_factory=Limits)
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows of one page, or of one file that could not be looked into."""

    image: export_rows.ExportRow
    objects: tuple[export_rows.ExportRow, ...] = ()

    @property
    def failed(self) -> bool:
        return self.image["status"] == ImageStatus.FAILED


def run(inputs: Sequence[Input], options: Options, report: Callable[[Measured], None]) -> None:
    """Measure ``inputs`` and write ``images.csv``, ``objects.csv``, ``formulas.csv`` and the wanted pictures.

    ``report`` is called in this thread, in the order of the inputs, once a row of ``images.csv``.

    Raises:
        InvalidRequest: an input lies where this run would write.
        StorageError: the folder cannot be written.
    """
    try:
        _prepare(inputs, options)
        with ExitStack() as stack:
            image_table, object_table = (
                csv_table.CsvTable(names, stack.enter_context(_create(options.out / name)))
                for name, names in (
                    ("images.csv", export_rows.IMAGE_HEADER),
                    ("objects.csv", export_rows.OBJECT_HEADER),
                )
            )
            for measured in _measured_in_order(inputs, options):
                image_table.write(export_rows.shortened(measured.image, options.digits))
                for row in measured.objects:
                    object_table.write(export_rows.shortened(row, options.digits))
                report(measured)
    except OSError as error:
        raise _unwritable(options.out, error) from error


def _prepare(inputs: Sequence[Input], options: Options) -> None:
    """Make the folders and write the formulas."""
    pictures = [options.out / name for name in _pictures(options)]
    targets = {folder.resolve() for folder in pictures}
    if any(item.path.resolve().parent in targets for item in inputs):
        raise InvalidRequest(
            f"Some images lie in {options.out} where results would replace them. Choose another --out."
        )
    for folder in (options.out, *pictures):
        folder.mkdir(parents=True, exist_ok=True)
    with _create(options.out / "formulas.csv") as file:
        file.write(export_rows.formulas_text())


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of one page; ``page`` is None where the file has no other."""

    item: Input
    page: int | None
    stems: frozenset[str]
    sha256: str | None = None

    @property
    def file(self) -> export_rows.SourceFile:
        page = "" if self.page is None else f"#{self.page}"
        return export_rows.SourceFile(f"{self.item.path}{page}", f"{self.item.path.name}{page}", self.sha256)

    @property
    def stem(self) -> str:
        """Stem of its pictures: no other file's stem, since one may be called like a page of this one."""
        if self.page is None:
            return self.item.stem
        stem = f"{self.item.stem}_p{self.page}"
        while stem.casefold() in self.stems:
            stem += "_"
        return stem


def _pictures(options: Options) -> list[str]:
    return [name for name, chosen in (("masks", options.masks), ("overlays", options.overlays)) if chosen]


def _create(path: Path) -> TextIO:
    # a file name need not be text; what is not must not end the run
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def _unwritable(out: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Cannot write to {out}: {error.strerror or error}. Choose another folder with --out."
    )


def _measured_in_order(inputs: Sequence[Input], options: Options) -> Iterator[Measured]:
    """Measure on ``options.workers`` threads; only so many files are under way at once as keep those busy."""
    stems = frozenset(item.stem.casefold() for item in inputs)
    waiting: deque[Future[list[Measured]]] = deque()
    with ThreadPoolExecutor(options.workers, "batch") as pool:
        try:
            for item in inputs:
                if len(waiting) >= AHEAD * options.workers:
                    yield from waiting.popleft().result()
                waiting.append(pool.submit(_file, item, stems, options))
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _file(item: Input, stems: frozenset[str], options: Options) -> list[Measured]:
    """Measure every page of one file; whatever goes wrong is a row."""
    sha256 = None
    try:
        _check(item.path)
        with images.open_image(item.path, options.limits) as reader:
            sha256 = _sha256(item.path)
            several = len(reader.planes) > 1
            return [
                _page(reader, plane, _Names(item, plane.page if several else None, stems, sha256), options)
                for plane in reader.planes
            ]
    except Exception as error:  # the boundary of one file: a defect in a reader must not end the batch
        return [_failed(_Names(item, None, stems, sha256).file, error)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _failed(file: export_rows.SourceFile, error: Exception) -> Measured:
    """The row of a file or a page that could not be decoded."""
    failure = _failure(file.path, error)
    return Measured(export_rows.measured_image(file, None, export_rows.UsedPixelSize(), failure))


def _check(path: Path) -> None:
    """Check that a path is an ordinary file.

    Raises:
        NotFound, InvalidRequest
    """
    if not path.exists():
        raise NotFound(f"{path} is not there.")
    if not path.is_file():
        raise InvalidRequest(f"{path} is not a file.")


def _page(reader: images.Reader, plane: images.Plane, names: _Names, options: Options) -> Measured:
    start = time.perf_counter()
    try:
        raster = reader.read(plane)
    except Exception as error:  # the boundary of one page, as above
        return _failed(names.file, error)
    facts, size = raster.facts, _pixel_size(raster.facts, options)
    try:
        result = segment(raster.pixels, options.params, options.engine)
        files = _write_pictures(raster, result, names.stem, options)
    except Exception as error:  # the boundary of one page, as above
        failure = _failure(names.file.path, error)
        return Measured(
            export_rows.measured_image(names.file, facts, size, failure, time.perf_counter() - start)
        )
    row = export_rows.measured_image(names.file, facts, size, result, time.perf_counter() - start)
    return Measured(row | files, tuple(export_rows.measured_objects(names.file, result, size)))


def _pixel_size(facts: PageFacts, options: Options) -> export_rows.UsedPixelSize:
    if options.um_per_px is not None:
        return export_rows.UsedPixelSize(options.um_per_px, PixelSizeSource.USER)
    return export_rows.UsedPixelSize(
        facts.um_per_px, PixelSizeSource.FILE if facts.um_per_px is not None else None
    )


def _write_pictures(
    raster: Raster, result: Segmentation, stem: str, options: Options
) -> export_rows.ExportRow:
    """Write the wanted pictures of a page; returns their names for its row."""
    files: export_rows.ExportRow = {}
    if options.masks:
        files["mask"] = _write(options.out / "masks", stem, label_png.encode(result.labels))
    if options.overlays:
        shown = to_display(raster.pixels, True, raster.facts.bit_depth)
        drawn = draw_outlines(shown, result.spheroids)
        scale_bar.draw(drawn, _pixel_size(raster.facts, options).um_per_px)
        files["overlay"] = _write(options.out / "overlays", stem, encode_png(drawn))
    return files


def _write(folder: Path, stem: str, data: bytes) -> str:
    name = f"{stem}.png"
    try:
        (folder / name).write_bytes(data)
    except OSError as error:
        raise StorageError(f"Cannot write {folder / name}: {error.strerror or error}.") from error
    return f"{folder.name}/{name}"


def _failure(path: str, error: Exception) -> SpheroscopeError:
    """The error that a row can carry."""
    if isinstance(error, SpheroscopeError):
        return error
    if isinstance(error, OSError):
        return StorageError(f"Cannot read {path}: {error.strerror or error}.")
    LOG.debug("event=batch.failed path=%r", path, exc_info=error)
    return SegmentationError(f"{path} could not be measured ({type(error).__name__}: {error}).")
