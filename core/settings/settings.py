"""Every limit and switch, read from the environment.

Each field's environment variable is its name in capitals; a test compares docs/settings.md with the fields.
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
from core.settings.memory_budget import MemoryBudget

ON, OFF = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
ROOT = Path(__file__).resolve().parents[2]


def _setting(default: object, env: str, text: str) -> Any:
    return field(default=default, metadata={"env": env, "help": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an installation. A share of memory that is 0 is computed by ``memory_budget``."""

    data: Path = _setting(
        ROOT / "data" / "runtime", "SPHEROSCOPE_DATA", "Folder of the database and the stored files."
    )
    segmentation_workers: int = _setting(
        4,
        "SEGMENTATION_WORKERS",
        "Images segmented at once; as many of them as there are cores compute at a time. 1 is serial.",
    )
    segmentation_precision: str = _setting(
        "auto",
        "SEGMENTATION_PRECISION",
        "Precision of the network: float32, bfloat16, or auto, which tries once whether bfloat16 is faster; "
        "with DASK_SCHEDULER, auto is float32.",
    )
    dask_scheduler: str = _setting(
        "",
        "DASK_SCHEDULER",
        "Address of a Dask scheduler whose workers segment, tcp://HOST:8786; without, this process segments.",
    )
    segmentation_memory_mb: int = _setting(
        0,
        "SEGMENTATION_MEMORY_MB",
        "Memory for all images in work, in MB; 0 is what the other parts leave of the limit.",
    )
    container_memory_limit_mb: int = _setting(
        0,
        "CONTAINER_MEMORY_LIMIT_MB",
        "Memory for the whole app, in MB; 0 is the container's limit, or half of this computer's memory.",
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
        3,
        "MAX_ATTEMPTS",
        "Attempts for one image, crashes of the process included, before it counts as failed.",
    )
    job_deadline_seconds: float = _setting(
        600.0,
        "JOB_DEADLINE_SECONDS",
        "Longest time for segmenting one image; after that it counts as failed.",
    )
    max_queued: int = _setting(100_000, "MAX_QUEUED", "Jobs that may wait at once.")
    drain_seconds: float = _setting(10.0, "DRAIN_SECONDS", "Time for running jobs to end at shutdown.")
    max_upload_mb: int = _setting(200, "MAX_UPLOAD_MB", "Largest file that can be uploaded, in MiB.")
    upload_hours: float = _setting(
        48.0, "UPLOAD_HOURS", "Hours that the rest of a file that has arrived in part is waited for."
    )
    watched_root: str = _setting(
        "",
        "WATCHED_ROOT",
        "Folder with a folder for each project whose images are taken in by themselves; nothing is watched "
        "without.",
    )
    max_image_pixels: int = _setting(100_000_000, "MAX_IMAGE_PIXELS", "Largest page that is read, in pixels.")
    max_pages: int = _setting(200, "MAX_PAGES", "Most pages read from one multi-page file.")
    max_page_size: int = _setting(200, "MAX_PAGE_SIZE", "Most rows that one API call returns.")
    max_export_rows: int = _setting(1_000_000, "MAX_EXPORT_ROWS", "Most rows in one export.")
    export_hours: int = _setting(24, "EXPORT_HOURS", "Hours that a finished export can be downloaded.")
    export_disk_mb: int = _setting(
        20_000, "EXPORT_DISK_MB", "Most disk that finished exports take, in MiB; the oldest go first."
    )
    min_free_mb: int = _setting(512, "MIN_FREE_MB", "Disk space that exports leave free, in MiB.")
    streaming: bool = _setting(
        True,
        "STREAMING",
        "Tables are written to disk and sent from there; off builds each in memory before it is sent.",
    )
    undo_days: int = _setting(7, "UNDO_DAYS", "Days that deleted images and projects can be restored.")
    keep_versions_days: int = _setting(
        30,
        "KEEP_VERSIONS_DAYS",
        "Days that a result nobody judged, chose or corrected is kept after a later one.",
    )
    correction_reason: bool = _setting(
        True,
        "CORRECTION_REASON",
        "Whoever corrects outlines has to say why, unless the project's review settings say otherwise.",
    )
    duckdb_memory_mb: int = _setting(
        0, "DUCKDB_MEMORY_MB", "Memory limit of the database, in MB; 0 is a share of the limit."
    )
    duckdb_threads: int = _setting(2, "DUCKDB_THREADS", "Threads of the database.")
    query_timeout_ms: float = _setting(2000.0, "QUERY_TIMEOUT_MS", "A search that takes longer is stopped.")
    page_index: bool = _setting(
        True, "PAGE_INDEX", "Keep tables of images in memory, ready in every order; off reads them by SQL."
    )
    page_index_mb: int = _setting(
        0, "PAGE_INDEX_MB", "Memory for these tables, in MB; 0 is a share of the limit."
    )
    cache: bool = _setting(
        True, "CACHE", "Keep rendered pictures, counts and statistics; off makes them at each request."
    )
    cache_mb: int = _setting(0, "CACHE_MB", "Memory for this cache, in MB; 0 is a share of the limit.")
    redis_url: str = _setting(
        "", "REDIS_URL", "Redis URL for the cache, redis://localhost:6379/0; without, the cache is in memory."
    )
    slow_query_ms: float = _setting(100.0, "SLOW_QUERY_MS", "A statement slower than this counts as slow.")
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
    auth: str = _setting(
        "none",
        "AUTH",
        "How people are known: none, local, oidc or proxy. With none, the app serves this computer only.",
    )
    user_header: str = _setting(
        "", "USER_HEADER", "With AUTH=proxy: the header in which the proxy says who asks."
    )
    proxy_addresses: str = _setting(
        "",
        "PROXY_ADDRESSES",
        "Addresses or networks of the reverse proxy, with commas between: headers are believed from there.",
    )
    admins: str = _setting(
        "",
        "ADMINS",
        "With AUTH=oidc or proxy: names of those who are admins when they first sign in, commas between.",
    )
    new_account_role: str = _setting(
        "viewer",
        "NEW_ACCOUNT_ROLE",
        "With AUTH=oidc or proxy: role of others who sign in first: viewer, member, admin; none: refused.",
    )
    public_url: str = _setting(
        "",
        "PUBLIC_URL",
        "Address by which people reach the app; with https://, browsers send cookies encrypted only.",
    )
    session_hours: float = _setting(12.0, "SESSION_HOURS", "Hours after which an unused session ends.")
    account_disk_mb: int = _setting(
        100_000, "ACCOUNT_DISK_MB", "Most disk that the files in one person's own projects take, in MiB."
    )
    account_queue_percent: int = _setting(
        50, "ACCOUNT_QUEUE_PERCENT", "Most of MAX_QUEUED that one person's waiting images take, in percent."
    )
    downloads_per_minute: int = _setting(
        120, "DOWNLOADS_PER_MINUTE", "Downloads of one person or token in a minute, where there are accounts."
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read every setting from ``env``.

        Raises:
            InvalidRequest: a value is not of its setting's type, or a number is below its least.
        """
        values: dict[str, Any] = {}
        for item in fields(cls):
            text = env.get(item.metadata["env"], "")
            if text:
                values[item.name] = _parse(item.metadata["env"], text, item.default)
        return cls(**values)

    @property
    def limits(self) -> Limits:
        """Limits of one uploaded file."""
        return Limits(self.max_upload_mb * 2**20, self.max_image_pixels, self.max_pages)

    @property
    def precision(self) -> str:
        """Return how the network computes, here and with every worker: a result must not depend on where it
        ran.

        What is faster here may not be so on other processors, so with workers elsewhere nothing is tried.
        """
        if self.dask_scheduler and self.segmentation_precision == "auto":
            return "float32"
        return self.segmentation_precision

    def memory_budget(self, available_mb: int) -> MemoryBudget:
        """Divide the memory limit; ``available_mb`` is the limit where none is set.

        Raises:
            InvalidRequest: what is set does not fit.
        """
        chosen = {
            "database_mb": self.duckdb_memory_mb,
            "page_index_mb": self.page_index_mb,
            "cache_mb": self.cache_mb,
            "images_mb": self.segmentation_memory_mb,
        }
        chosen = {name: value for name, value in chosen.items() if value}
        if not self.page_index:
            chosen["page_index_mb"] = 0
        if not self.cache or self.redis_url:
            chosen["cache_mb"] = 0
        return MemoryBudget.divide(self.container_memory_limit_mb or available_mb, chosen)


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
