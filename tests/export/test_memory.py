"""An archive far larger than the memory that making and sending it take; the full size is a benchmark's."""

from __future__ import annotations

import pytest

from bench import downloads


@pytest.mark.timeout(600)
def test_memory_does_not_grow_with_the_archive_and_cuts_change_no_byte() -> None:
    report = downloads.run(quick=True)
    growth, same = report.bars[:2]
    assert growth.holds, f"{growth.value:.0f} MB"
    assert same.holds
