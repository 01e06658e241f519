"""The count beside the database: written over itself, never in the way, and 0 where it cannot be read."""

from __future__ import annotations

from pathlib import Path

from core.db.commit_counter import CommitCounter


def test_the_last_number_is_what_is_noted(tmp_path: Path) -> None:
    counter = CommitCounter(tmp_path / "a.commits")
    assert counter.load() == 0
    for number in (7, 123_456, 9):
        counter.save(number)
        assert CommitCounter(tmp_path / "a.commits").load() == number


def test_a_counter_file_that_cannot_be_read_or_written_counts_as_0(tmp_path: Path) -> None:
    (tmp_path / "a.commits").write_bytes(b"not a number")
    assert CommitCounter(tmp_path / "a.commits").load() == 0
    CommitCounter(tmp_path / "no such folder" / "a.commits").save(3)
    assert not (tmp_path / "no such folder").exists()
