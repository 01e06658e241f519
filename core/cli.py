"""The command line, ``python -m core``: measure files, write the demo plate's, start the app or a worker."""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core import __version__
from core.batch import runner
from core.batch.inputs import find_inputs
from core.corrections import history
from core.errors import SpheroscopeError
from core.images import formats
from core.monitoring.system import app_memory_bytes
from core.segmentation import DEFAULT_ENGINE, ENGINE_NAMES, Arithmetic, EngineRegistry, SegmentationParams
from core.settings import ROOT, Settings

DONE, DAMAGED, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130
PROGRESS_SECONDS = 1.0
RESTART_SECONDS = 2.0

SEGMENT_HELP = """Measure the spheroids of images and write tables into a folder:

  images.csv    one row an image (a page of a multi-page TIFF is name.tif#3), named in the app's way by image
  objects.csv   one row a spheroid; µm columns are empty where the pixel size is not known
  formulas.csv  unit and formula of every column
  masks/        with --masks: label images, uint16, 0 is background
  overlays/     with --overlays: outlines and numbers over the image, and a scale bar
Numbers have every digit; --digits 6 rounds them to six significant digits.
Of a folder, the image files that lie directly in it are taken, in natural order; hidden files and subfolders
are not. A file that cannot be measured is a row with status "failed" and the reason.
Exit status: 0 when at least one image was measured, 2 when none was, 130 when interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Wrong usage ends with SystemExit(2), as argparse does."""
    options = _parser().parse_args(arguments)
    try:
        commands: dict[str, Callable[[argparse.Namespace], int]] = {
            **{"serve": _serve, "worker": _work, "segment": _segment},
            **{"compact": _compact, "audit": _audit, "demo": _demo, "verify-history": history.verify},
        }
        return commands[options.command](options)
    except SpheroscopeError as error:
        print(error.message, file=sys.stderr)
        return NOTHING_DONE
    except KeyboardInterrupt:
        print("Stopped. What was measured until now is in the tables.", file=sys.stderr)
        return INTERRUPTED


@dataclass(slots=True)
class Progress:
    """Counts rows and says on stderr, at most once a second, how far the batch is."""

    total: int
    start: float = field(default_factory=time.monotonic)
    shown: float = 0.0
    done: int = 0
    failed: int = 0
    objects: int = 0

    def add(self, measured: runner.Measured) -> None:
        """Count one row of images.csv; every failure is told at once."""
        row = measured.image
        self.done += not measured.failed
        self.failed += measured.failed
        self.objects += len(measured.objects)
        if measured.failed:
            _say(f"failed: {row['path']}: {row['error']}")
        now = time.monotonic()
        if now - self.shown >= PROGRESS_SECONDS:
            self.shown = now
            _say(f"{self.done + self.failed} images of {self.total} files, {self.failed} failed")

    def summary(self, out: Path) -> str:
        seconds = time.monotonic() - self.start
        return (
            f"{self.done} images measured, {self.failed} failed, {self.objects} spheroids, {seconds:.1f} s. "
            f"Tables are in {out}."
        )


def _segment(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    inputs = find_inputs(options.paths)
    if not inputs:
        _say(
            f"No images found in {', '.join(map(str, options.paths))}. Of a folder, the {formats.NAMES} "
            "files that lie directly in it are taken, those in subfolders are not."
        )
        return NOTHING_DONE
    progress = Progress(len(inputs))
    workers = min(options.workers or settings.segmentation_workers, len(inputs))
    threads = max(1, (os.cpu_count() or 1) // workers)
    arithmetic = Arithmetic(threads, settings.segmentation_precision)
    arithmetic.prepare_process()
    chosen = runner.Options(
        out=options.out,
        um_per_px=options.um_per_px,
        engine=EngineRegistry.shipped(arithmetic).get(options.engine),
        params=SegmentationParams.from_texts(dict(options.set)),
        workers=workers,
        masks=options.masks,
        overlays=options.overlays,
        limits=settings.limits,
        digits=options.digits,
    )
    runner.run(inputs, chosen, progress.add)
    _say(progress.summary(options.out))
    return DONE if progress.done else NOTHING_DONE


def _serve(options: argparse.Namespace) -> int:
    # Streamlit takes .streamlit/config.toml from beside the script, wherever this is started
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    command += ["--server.address", options.address, "--server.port", str(options.port)]
    # Headers of proxies are read by the access guard, which knows the proxy's address, by nothing before it.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "")
    os.execv(sys.executable, command)


def _compact(options: argparse.Namespace) -> int:
    from core.db.compaction import TableOrder, compact  # noqa: PLC0415 - it needs what only Unix has

    settings = Settings.from_env()
    path = settings.data / "spheroscope.duckdb"
    memory = settings.memory_budget(app_memory_bytes() // 2**20)
    done = compact(path, memory.database_mb, TableOrder(options.order), lambda step: _say(f"{step} …"))
    before, after = (size / 2**20 for size in (done.before_bytes, done.after_bytes))
    rows = f"{sum(done.rows.values())} rows in {len(done.rows)} tables"
    _say(f"{rows}: {before:.1f} MiB before, {after:.1f} MiB now.")
    return DONE


def _audit(_options: argparse.Namespace) -> int:
    """Check every stored file against its checksum and the database; returns 1 where one is not whole."""
    from core.operations.file_audit import audit_files  # noqa: PLC0415 - it opens the database

    settings = Settings.from_env()
    shown = time.monotonic()

    def report(n_files: int) -> None:
        nonlocal shown
        if time.monotonic() - shown >= PROGRESS_SECONDS:
            shown = time.monotonic()
            _say(f"{n_files} files read")

    memory = settings.memory_budget(app_memory_bytes() // 2**20)
    result = audit_files(settings.data, memory.database_mb, report)
    for line in result.lines():
        _say(line)
    return DONE if result.outcome.whole else DAMAGED


def _demo(options: argparse.Namespace) -> int:
    from core.demo.folder import TRUTH, write_demo  # noqa: PLC0415 - drawing is of no use to other commands

    count = sum(1 for _ in write_demo(options.out))
    _say(f"{count} images of the demo plate, and what is in them in {TRUTH}, are in {options.out}.")
    return DONE


def _work(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("distributed") is None:
        _say("Workers need packages that are not installed: pip install -r requirements-cluster.txt")
        return NOTHING_DONE
    command = [sys.executable, "-m", "distributed.cli.dask_worker", options.scheduler, "--no-dashboard"]
    command += ["--nworkers", str(options.workers), "--nthreads", "1"]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory(prefix="spheroscope-worker-") as folder:
        command += ["--local-directory", folder]
        while True:  # Dask's workers end with their scheduler; these wait for the next one
            subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False)
            time.sleep(RESTART_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core", description="Spheroscope measures tumour spheroids."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    segment = commands.add_parser(
        "segment",
        help="measure image files and folders of them",
        description=SEGMENT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    segment.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="image file, or folder of images"
    )
    segment.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder of the results; is made"
    )
    segment.add_argument(
        "--um-per-px", metavar="X", type=_pixel_size, help="pixel size in µm; wins over what the files say"
    )
    segment.add_argument(
        "--engine", choices=sorted(ENGINE_NAMES), default=DEFAULT_ENGINE, help="default: %(default)s"
    )
    segment.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=_setting,
        action="append",
        default=[],
        help=f"of {', '.join(item.name for item in fields(SegmentationParams))}; may be given several times",
    )
    segment.add_argument(
        "--workers", metavar="N", type=_count, help="files measured at once; default: SEGMENTATION_WORKERS, 4"
    )
    _add_outputs(segment)
    _add_servers(commands)
    return parser


def _add_outputs(segment: argparse.ArgumentParser) -> None:
    segment.add_argument(
        "--digits", metavar="N", type=_count, help="significant digits of measured numbers; default: all"
    )
    segment.add_argument("--masks", action="store_true", help="write label images")
    segment.add_argument("--overlays", action="store_true", help="write images with outlines")


def _add_servers(commands: Any) -> None:
    serve = commands.add_parser("serve", help="start the app on this computer")
    serve.add_argument("--port", metavar="N", type=_port, default=8501, help="default: %(default)s")
    listens = "default: %(default)s; other computers reach others, which need AUTH: docs/access.md"
    serve.add_argument("--address", default="127.0.0.1", help=listens)
    compacting = commands.add_parser(
        "compact", help="write the database anew, images of a project side by side; stop the app first"
    )
    compacting.add_argument(
        "--order",
        choices=("project", "added"),
        default="project",
        help="default: %(default)s; added: as they came",
    )
    history.add_command(commands)
    commands.add_parser("audit", help="check every stored file; with the app stopped, tell missing ones, too")
    demo = commands.add_parser(
        "demo", help="write the demo plate's images, and a table of what is in them, into a folder"
    )
    demo.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder; is made")
    worker = commands.add_parser("worker", help="segment for apps elsewhere, behind a Dask scheduler")
    worker.add_argument("scheduler", metavar="ADDRESS", help="of the scheduler, as tcp://HOST:8786")
    worker.add_argument(
        "--workers", metavar="N", type=_count, default=os.cpu_count() or 1, help="default: %(default)s"
    )


def _pixel_size(text: str) -> float:
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"a pixel size is a number of µm greater than 0, not {text!r}")
    return value


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name, value


def _count(text: str) -> int:
    value = _number(text)
    if value < 1 or value % 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(value)


def _port(text: str) -> int:
    value = _count(text)
    if value > 65_535:
        raise argparse.ArgumentTypeError(f"a port is at most 65535, not {text!r}")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
