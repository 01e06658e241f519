"""Every limit and switch, read once from the environment.

Each field's environment variable is its name in capitals; docs/settings.md lists them, and a test holds the
two together.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import InvalidRequest
from core.models import Limits

ON, OFF = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
ROOT = Path(__file__).resolve().parent.parent

# What the app takes before an image is opened, measured with both engines loaded and 20 visitors; the rest of
# CONTAINER_MEMORY_LIMIT_MB is for images.
APP_MB = 460
LEAST_SEGMENTATION_MB = 128


def _setting(default: object, env: str, text: str) -> Any:
    return field(default=default, metadata={"env": env, "help": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """What may vary between installations; passed in everywhere, never global."""

    data: Path = _setting(
        ROOT / "data" / "runtime", "SPHEROSCOPE_DATA", "Folder of the database and the stored files."
    )
    segmentation_workers: int = _setting(
        4,
        "SEGMENTATION_WORKERS",
        "Images in work at once, of which as many as there are cores are computed at once; 1 is serial.",
    )
    segmentation_precision: str = _setting(
        "auto",
        "SEGMENTATION_PRECISION",
        "Arithmetic of the network: float32, bfloat16, or auto, which tries once whether bfloat16 is faster; "
        "with DASK_SCHEDULER, auto is float32.",
    )
    dask_scheduler: str = _setting(
        "",
        "DASK_SCHEDULER",
        "Address of a Dask scheduler, tcp://HOST:8786, whose workers segment; by default, this process does.",
    )
    segmentation_memory_mb: int = _setting(
        0,
        "SEGMENTATION_MEMORY_MB",
        "Memory for the images in work together, in MB; by default, what the app itself leaves of its limit.",
    )
    container_memory_limit_mb: int = _setting(
        1024, "CONTAINER_MEMORY_LIMIT_MB", "Memory that the whole app may take, in MB."
    )
    memory_wait_seconds: float = _setting(
        60.0,
        "MEMORY_WAIT_SECONDS",
        "Time that a preview, an upload or a picture waits for memory before it is refused.",
    )
    preview_deadline_seconds: float = _setting(
        120.0, "PREVIEW_DEADLINE_SECONDS", "Time that a preview may take, waiting included."
    )
    max_attempts: int = _setting(
        3, "MAX_ATTEMPTS", "Times an image is tried, and may end the process, before it is failed."
    )
    job_deadline_seconds: float = _setting(
        600.0, "JOB_DEADLINE_SECONDS", "Time that segmenting one image may take before it is failed."
    )
    max_queued: int = _setting(100_000, "MAX_QUEUED", "Jobs that may wait at once.")
    drain_seconds: float = _setting(10.0, "DRAIN_SECONDS", "Time given to running jobs at shutdown.")
    max_upload_mb: int = _setting(200, "MAX_UPLOAD_MB", "Largest file taken, in MiB.")
    max_image_pixels: int = _setting(100_000_000, "MAX_IMAGE_PIXELS", "Largest page taken, in pixels.")
    max_pages: int = _setting(200, "MAX_PAGES", "Most pages taken from one multi-page TIFF.")
    max_page_size: int = _setting(200, "MAX_PAGE_SIZE", "Most rows that one API call returns.")
    max_export_rows: int = _setting(1_000_000, "MAX_EXPORT_ROWS", "Most rows in one export.")
    export_hours: int = _setting(24, "EXPORT_HOURS", "Hours that a finished export can be downloaded.")
    export_disk_mb: int = _setting(
        20_000, "EXPORT_DISK_MB", "Most disk that finished exports take, in MiB; the oldest go first."
    )
    min_free_mb: int = _setting(512, "MIN_FREE_MB", "Disk space that exports leave free, in MiB.")
    streaming: bool = _setting(
        True, "STREAMING", "Tables are sent while they are read; off builds each in memory before it is sent."
    )
    undo_days: int = _setting(7, "UNDO_DAYS", "Days that deleted images and projects can be restored.")
    keep_versions_days: int = _setting(
        30, "KEEP_VERSIONS_DAYS", "Days that a result is kept after a later automatic one has replaced it."
    )
    duckdb_memory_mb: int = _setting(1024, "DUCKDB_MEMORY_MB", "Memory limit of the database, in MB.")
    duckdb_threads: int = _setting(2, "DUCKDB_THREADS", "Threads of the database.")
    query_timeout_ms: float = _setting(2000.0, "QUERY_TIMEOUT_MS", "A search that takes longer is stopped.")
    page_index: bool = _setting(
        True, "PAGE_INDEX", "Keep tables of images in memory, ready in every order; off reads them by SQL."
    )
    page_index_mb: int = _setting(256, "PAGE_INDEX_MB", "Most memory that these tables take, in MiB.")
    cache: bool = _setting(
        True, "CACHE", "Keep rendered pictures, counts and statistics; off makes them at each request."
    )
    cache_mb: int = _setting(128, "CACHE_MB", "Most memory that is taken by what is kept, in MiB.")
    redis_url: str = _setting(
        "", "REDIS_URL", "Keep that in this Redis instead of in memory, such as redis://localhost:6379/0."
    )
    slow_query_ms: float = _setting(100.0, "SLOW_QUERY_MS", "A statement slower than this is called slow.")
    enable_performance_monitoring: bool = _setting(
        True,
        "ENABLE_PERFORMANCE_MONITORING",
        "Record how long requests, pages, statements and segmentations take; off, nothing is recorded.",
    )
    project_list_batching: bool = _setting(
        True,
        "PROJECT_LIST_BATCHING",
        "Read the list of projects in one statement, counts and all; off asks project by project.",
    )
    virtual_list_enabled: bool = _setting(
        True, "VIRTUAL_LIST_ENABLED", "Draw only those rows of a table that are in sight; off draws them all."
    )
    compression: bool = _setting(
        True,
        "COMPRESSION",
        "Send JSON and tables compressed to clients that take it; off sends them as they are.",
    )
    allowed_hosts: str = _setting(
        "localhost",
        "ALLOWED_HOSTS",
        "Names that the app is reached by, with commas between; IP addresses always work, * allows any name.",
    )
    user_header: str = _setting(
        "",
        "USER_HEADER",
        "Header in which a reverse proxy says who asks, such as X-Forwarded-User; kept with each job.",
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read every setting from ``env``.

        Raises:
            InvalidRequest: a value is not of its setting's type, or a number is below its least.
        """
        given: dict[str, Any] = {}
        for item in fields(cls):
            text = env.get(item.metadata["env"], "")
            if text:
                given[item.name] = _parse(item.metadata["env"], text, item.default)
        return cls(**given)

    @property
    def limits(self) -> Limits:
        """What one uploaded file may cost."""
        return Limits(self.max_upload_mb * 2**20, self.max_image_pixels, self.max_pages)

    @property
    def precision(self) -> str:
        """How the network computes, here and with every worker: a result must not depend on where it ran.

        What is faster here may not be so on other processors, so with workers elsewhere nothing is tried.
        """
        if self.dask_scheduler and self.segmentation_precision == "auto":
            return "float32"
        return self.segmentation_precision

    @property
    def page_index_bytes(self) -> int:
        """Memory for the tables of images; 0 where they are read by SQL."""
        return self.page_index_mb * 2**20 if self.page_index else 0

    @property
    def segmentation_memory_bytes(self) -> int:
        """What the images in work together may take."""
        left_mb = max(LEAST_SEGMENTATION_MB, self.container_memory_limit_mb - APP_MB)
        return (self.segmentation_memory_mb or left_mb) * 2**20


def _parse(name: str, text: str, default: object) -> Any:
    if isinstance(default, Path):
        return Path(text).expanduser().resolve()
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return _parse_switch(name, text)
    kind = type(default)
    try:
        value = float(text) if kind is float else int(text)
    except ValueError:
        raise InvalidRequest(f"{name} must be a number ({kind.__name__}), not {text!r}.") from None
    if not 0 < value < math.inf:
        raise InvalidRequest(f"{name} must be greater than 0, not {text!r}.")
    return value


def _parse_switch(name: str, text: str) -> bool:
    if (word := text.strip().lower()) in ON | OFF:
        return word in ON
    raise InvalidRequest(f"{name} must be on or off, not {text!r}.")
