"""How the memory of the app is divided: every part has a share, and the shares add up to the limit."""

from __future__ import annotations

from dataclasses import dataclass, fields

from core.errors import InvalidRequest

# The process itself with both engines loaded and pages open, without what the parts below hold: its own
# memory (RssAnon), 370 MB before the first visitor. Mapped program files, 240 MB, are not counted: the system
# takes them back when memory is short.
APP_MB = 400
MIN_IMAGES_MB = 128  # 3 megapixels of 16 bits in each of four workers, or 8 in one

# Share of the limit, least and most in MB.
_PARTS = {
    "database_mb": (1 / 8, 192, 1024),
    "metrics_mb": (1 / 32, 48, 128),
    "page_index_mb": (1 / 32, 32, 256),  # 215 MB hold a million rows in four orders
    "cache_mb": (1 / 32, 32, 128),
}
_SETTINGS = {
    "database_mb": "DUCKDB_MEMORY_MB",
    "page_index_mb": "PAGE_INDEX_MB",
    "cache_mb": "CACHE_MB",
    "images_mb": "SEGMENTATION_MEMORY_MB",
}


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """The parts' shares in MB; ``images_mb`` is for all images in work together."""

    limit_mb: int
    app_mb: int
    database_mb: int
    metrics_mb: int
    page_index_mb: int
    cache_mb: int
    images_mb: int

    @classmethod
    def divide(cls, limit_mb: int, chosen: dict[str, int]) -> MemoryBudget:
        """Divide ``limit_mb``; ``chosen`` gives shares by field where they are not to be computed.

        What the other parts leave is for images.

        Raises:
            InvalidRequest: the shares do not fit, with the settings to change.
        """
        shares = _shares(limit_mb, chosen)
        if sum(shares.values()) > limit_mb:
            raise InvalidRequest(_too_much(limit_mb, chosen))
        if "images_mb" not in chosen:
            shares["images_mb"] += limit_mb - sum(shares.values())
        return cls(limit_mb, **shares)

    @property
    def shares_mb(self) -> dict[str, int]:
        """Every share by field; together at most the limit."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "limit_mb"}


def _shares(limit_mb: int, chosen: dict[str, int]) -> dict[str, int]:
    """The least that every part gets."""
    computed = {
        name: min(maximum, max(minimum, int(part * limit_mb)))
        for name, (part, minimum, maximum) in _PARTS.items()
    }
    return {"app_mb": APP_MB, "images_mb": MIN_IMAGES_MB} | computed | chosen


def _too_much(limit_mb: int, chosen: dict[str, int]) -> str:
    needed_mb = sum(_shares(limit_mb, chosen).values())
    enough_mb = needed_mb
    while (more_mb := sum(_shares(enough_mb, chosen).values())) > enough_mb:  # shares grow with the limit
        enough_mb = more_mb
    names = [_SETTINGS[name] for name, value in chosen.items() if value]
    values = [f"{_SETTINGS[name]}={value}" for name, value in chosen.items() if value]
    subject = f"With {' and '.join(values)} the app needs" if values else "The app needs"
    lower = f", or lower {' or '.join(names)}" if names else ""
    return (
        f"{subject} {needed_mb:,} MB of memory, but it may take {limit_mb:,} MB. "
        f"Raise CONTAINER_MEMORY_LIMIT_MB to {enough_mb}{lower}."
    )
