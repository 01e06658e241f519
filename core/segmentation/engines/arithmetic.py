"""How a process computes: threads for one image, and the precision of the network."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from core.errors import InvalidRequest
from core.images.memory import keep_freed_memory

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Threads and precision of an ``EngineRegistry``.

    ``threads``: for one image, of torch and of OpenCV; several workers share the cores, and more threads
    each only get into each other's way. ``precision``: of ``PRECISIONS``; bfloat16 halves the time on
    processors that have it, and "auto" tries that once for each network, in under a second.

    Raises:
        InvalidRequest: no such precision, or less than one thread.
    """

    threads: int = 1
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise InvalidRequest(
                f"SEGMENTATION_PRECISION must be one of {', '.join(PRECISIONS)}, not {self.precision!r}."
            )
        if self.threads < 1:
            raise InvalidRequest(f"The network needs at least one thread, not {self.threads}.")

    def prepare_process(self) -> None:
        """Set OpenCV's threads and the allocator's thresholds, for the whole process."""
        cv2.setNumThreads(self.threads)
        keep_freed_memory()
