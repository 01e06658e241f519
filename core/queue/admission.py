"""Admission: which images may be in memory together, within one number of bytes for all of them.

Everything that decodes an image asks here first, with an estimate from ``core.images.memory``: jobs,
previews, uploads, rendered pictures and overlays, exports.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import AppBusy, ImageTooLarge
from core.models import Job

TIMEOUT_SECONDS = 60.0
SMALL_SHARE = 1 / 8  # of the total: a request up to this size may overtake larger ones that wait
MAX_OVERTAKEN = 16  # times that one request is overtaken; after that nothing passes it any more
_NEXT_JOB = "next job"
PLACE_SECONDS = 30.0  # for how long a refused ``try_hold`` keeps its place in the line


@dataclass(slots=True, eq=False)
class _Request:
    """A place in the line. ``until``: the time after which it no longer counts."""

    name: str
    n_bytes: int
    until: float = math.inf
    overtaken: int = 0


class Admission:
    """Holds memory for images: first come, first served. Safe from any thread.

    A small request may overtake larger ones that wait, but each of those a limited number of times, so that
    neither starves.
    """

    def __init__(
        self,
        total_bytes: int,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total_bytes = total_bytes
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._held: dict[object, int] = {}
        self._waiting_line: list[_Request] = []
        self._refused: dict[str, _Request] = {}  # those of ``try_hold`` in the line, by holder
        self._changed = threading.Condition()
        self._thread = threading.local()
        self._listeners: tuple[Callable[[], None], ...] = ()

    @contextmanager
    def hold(self, n_bytes: int, name: str, timeout_seconds: float | None = None) -> Iterator[None]:
        """Hold ``n_bytes`` for the image ``name`` while the block runs; waits until they are free.

        Within a block of the same thread only what goes beyond the outer block's bytes is added, and nothing
        is waited for: two threads that each waited for more would wait for each other.

        Raises:
            ImageTooLarge: more than all of the memory for images.
            AppBusy: they were not free in time.
        """
        self.require_possible(n_bytes, name)
        outer: int = getattr(self._thread, "n_bytes", 0)
        holder = object()
        if outer:
            with self._changed:
                self._held[holder] = max(0, n_bytes - outer)
        else:
            self._wait(holder, _Request(name, n_bytes), timeout_seconds)
        self._thread.n_bytes = max(outer, n_bytes)
        try:
            yield
        finally:
            self._thread.n_bytes = outer
            self.release(holder)

    def try_hold(self, holder: str, n_bytes: int, name: str) -> bool:
        """Hold ``n_bytes`` until ``release(holder)`` if they are free now; waits for nothing.

        What ``holder`` held before is released. A refused request keeps its place in the line until it is
        repeated, withdrawn, or PLACE_SECONDS old.
        """
        with self._changed:
            self._held.pop(holder, None)
            request = self._place_of(holder)
            request.name, request.n_bytes = name, n_bytes
            if admitted := self._may_admit(request):
                self._admit(holder, request)
            else:
                request.until = self._clock() + PLACE_SECONDS
                self._refused[holder] = request
            return admitted

    def withdraw(self, holder: str) -> None:
        """Give up the place in the line that a refusal left to ``holder``, and what it holds."""
        with self._changed:
            if (request := self._refused.pop(holder, None)) is not None:
                self._waiting_line.remove(request)
                self._changed.notify_all()
        self.release(holder)

    def rename(self, holder: str, new: str) -> None:
        """Let ``new`` hold what ``holder`` holds."""
        with self._changed:
            if (n_bytes := self._held.pop(holder, None)) is not None:
                self._held[new] = n_bytes

    def release(self, holder: object) -> None:
        """Release what ``holder`` holds; nothing happens where it holds nothing."""
        with self._changed:
            if self._held.pop(holder, None) is None:
                return
            self._changed.notify_all()
        for listener in self._listeners:
            listener()

    def on_release(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called, without a lock, whenever memory has been released."""
        self._listeners += (listener,)

    def require_possible(self, n_bytes: int, name: str) -> None:
        """Raise ImageTooLarge where ``n_bytes`` are more than can ever be free."""
        if n_bytes > self.total_bytes:
            raise ImageTooLarge(
                f"{name} needs about {n_bytes / 2**20:,.0f} MB of memory; images may take "
                f"{self.total_bytes / 2**20:,.0f} MB together. Crop it, or raise CONTAINER_MEMORY_LIMIT_MB "
                "if this computer has more memory."
            )

    @property
    def held_bytes(self) -> int:
        """Return what is held now, as estimated."""
        with self._changed:
            return sum(self._held.values())

    @property
    def waiting(self) -> str | None:
        """Name of the image that has waited longest for memory; None where none waits."""
        with self._changed:
            now = self._clock()
            return next((request.name for request in self._waiting_line if request.until >= now), None)

    def _wait(self, holder: object, request: _Request, timeout_seconds: float | None) -> None:
        timeout = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        with self._changed:
            self._waiting_line.append(request)
            try:
                end = time.monotonic() + timeout
                while not self._may_admit(request):
                    left = end - time.monotonic()
                    if left <= 0:
                        raise AppBusy("The app is busy with large images. Try again in a moment.")
                    # not longer than a refused request's place lasts: nobody says when that is over
                    self._changed.wait(min(left, PLACE_SECONDS))
                self._admit(holder, request)
            finally:
                if request in self._waiting_line:
                    self._waiting_line.remove(request)
                    self._changed.notify_all()

    def _place_of(self, holder: str) -> _Request:
        """The place that a refusal left to ``holder``; a new one at the end where that is over."""
        request = self._refused.pop(holder, None)
        if request is not None and request.until >= self._clock():
            return request
        if request is not None:
            self._waiting_line.remove(request)
        self._waiting_line.append(new := _Request("", 0))
        return new

    def _may_admit(self, request: _Request) -> bool:
        if sum(self._held.values()) + request.n_bytes > self.total_bytes:
            return False
        small = request.n_bytes <= SMALL_SHARE * self.total_bytes
        return all(small and other.overtaken < MAX_OVERTAKEN for other in self._ahead_of(request))

    def _admit(self, holder: object, request: _Request) -> None:
        for other in self._ahead_of(request):
            other.overtaken += 1
        self._waiting_line.remove(request)
        self._held[holder] = request.n_bytes
        self._changed.notify_all()  # the next in line may fit, too

    def _ahead_of(self, request: _Request) -> list[_Request]:
        """Return those who came earlier and still wait."""
        now = self._clock()
        earlier = self._waiting_line[: self._waiting_line.index(request)]
        return [other for other in earlier if other.until >= now]


class JobAdmission:
    """The queue's jobs in an admission: the next one asks, under one name, until a worker has it.

    ``fits`` is called while a job is claimed, then ``claimed``, both by one thread.
    """

    def __init__(self, admission: Admission, wake: Callable[[], None]) -> None:
        """``wake`` is called whenever memory has been released."""
        admission.on_release(wake)
        self._admission = admission
        self._refused = False
        self.waits = False  # whether the next job waits for memory; it has to ask again to keep its place

    def fits(self, job: Job) -> bool:
        """Whether the job may begin now. One that never may is let through, for ``require_possible``."""
        if job.memory_bytes > self._admission.total_bytes:
            return True
        fits = self._admission.try_hold(_NEXT_JOB, job.memory_bytes, job.image_name)
        self._refused = not fits
        return fits

    def claimed(self, worker: str | None) -> None:
        """Let ``worker`` hold the memory of the job that it claimed; None where no job was claimed."""
        if worker is not None:
            self._admission.rename(_NEXT_JOB, worker)
        elif not self._refused:
            self._admission.withdraw(_NEXT_JOB)
        self.waits, self._refused = self._refused, False

    def require_possible(self, job: Job) -> None:
        """Raise ImageTooLarge where the job needs more than can ever be free."""
        self._admission.require_possible(job.memory_bytes, job.image_name)

    def ended(self, worker: str) -> None:
        """Release the memory of the worker's job."""
        self._admission.release(worker)
