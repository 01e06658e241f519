"""What work on an image shares with all other such work in a process: engines, limits, memory and cores."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.models import Limits
from core.queue.admission import Admission
from core.queue.cpu_slots import CpuSlots, usable_cores
from core.segmentation import Arithmetic, EngineRegistry

UNLIMITED_BYTES = 2**62


@dataclass(frozen=True, slots=True)
class ComputeResources:
    """Engines, limits of what is read, memory and cores; one for the process."""

    engines: EngineRegistry
    limits: Limits = field(default_factory=Limits)
    admission: Admission = field(default_factory=lambda: Admission(UNLIMITED_BYTES))
    cpu_slots: CpuSlots = field(default_factory=lambda: CpuSlots(usable_cores()))

    @classmethod
    def open(
        cls, arithmetic: Arithmetic, limits: Limits, admission: Admission | None = None
    ) -> ComputeResources:
        """Prepare this process for computing with the shipped engines; without admission, any memory.

        Raises:
            SegmentationError: what names the shipped weights cannot be read.
        """
        arithmetic.prepare_process()
        return cls(EngineRegistry.shipped(arithmetic), limits, admission or Admission(UNLIMITED_BYTES))
