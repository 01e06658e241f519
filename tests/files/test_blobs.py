"""Stored files: whole or not there, whatever fails on the way; what rots is noticed and can be made whole."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import pathlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import BlobDamaged, BlobMissing, StorageError
from core.files.audit import BlobAudit
from core.files.blobs import FOLDERS, Blobs
from tests.polling import wait_until


def left_over(folder: Path) -> list[Path]:
    return list((folder / "tmp").iterdir())


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


@given(data=st.binary(max_size=5000))
@hypothesis_settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_a_stored_file_is_read_back_byte_for_byte(blobs: Blobs, data: bytes) -> None:
    sha256 = blobs.put(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert blobs.get(sha256) == data


def test_the_same_bytes_are_one_file_whose_name_is_their_digest(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert blobs.put(b"a") == blobs.put(b"a")
    (path,) = files(tmp_path)
    assert path.name == hashlib.sha256(b"a").hexdigest()
    assert path == blobs.path(path.name)


def test_many_threads_putting_the_same_bytes_make_one_file(tmp_path: Path) -> None:
    blobs, data = Blobs(tmp_path), os.urandom(100_000)
    with ThreadPoolExecutor(16) as pool:
        names = set(pool.map(lambda _: blobs.put(data), range(64)))
    assert len(names) == 1
    assert [path.read_bytes() for path in files(tmp_path)] == [data]
    assert left_over(tmp_path) == []


def test_a_file_is_never_seen_half_written(tmp_path: Path) -> None:
    blobs, stop, seen = Blobs(tmp_path), threading.Event(), []
    payloads = [os.urandom(200_000) for _ in range(30)]

    def look() -> None:
        while not stop.is_set():
            seen.extend((path.name, path.read_bytes()) for path in files(tmp_path)[-2:])

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for payload in payloads:
            blobs.put(payload)
        stop.set()
        looking.result()
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in seen)


class FailingDisk:
    """Lets every step of a write succeed but the n-th, which fails once or for ever after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nth: int, for_ever: bool) -> None:
        self.calls = 0
        self._nth, self._for_ever = nth, for_ever
        for owner, name in ((os, "fsync"), (os, "open"), (pathlib.Path, "replace"), (pathlib.Path, "mkdir")):
            monkeypatch.setattr(owner, name, self._wrapped(getattr(owner, name)))
        monkeypatch.setattr(pathlib.Path, "open", self._wrapped(pathlib.Path.open, writes=True))

    def _wrapped(self, real: Any, writes: bool = False) -> Any:
        def call(*args: Any, **keywords: Any) -> Any:
            self._step()
            opened = real(*args, **keywords)
            return _FailingStream(opened, self._step) if writes and "wb" in args else opened

        return call

    def _step(self) -> None:
        self.calls += 1
        if self.calls == self._nth or (self._for_ever and self.calls > self._nth):
            raise OSError(errno.ENOSPC, "No space left on device")


class _FailingStream:
    def __init__(self, real: Any, step: Any) -> None:
        self._real, self._step = real, step

    def __enter__(self) -> _FailingStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def write(self, data: bytes) -> None:
        self._real.write(data[: len(data) // 2])  # half of it is on the disk when the rest is refused
        self._step()
        self._real.write(data[len(data) // 2 :])

    def flush(self) -> None:
        self._step()
        self._real.flush()

    def fileno(self) -> int:
        return int(self._real.fileno())


def put(blobs: Blobs, data: bytes) -> bool:
    """Whether the blobs say that they have stored it."""
    try:
        blobs.put(data)
    except StorageError:
        return False
    return True


@pytest.mark.parametrize("for_ever", [False, True])
@pytest.mark.parametrize("before", [None, b"whole", b"rotten"])
def test_old_or_new_whichever_step_fails(tmp_path: Path, before: bytes | None, for_ever: bool) -> None:
    data = b"whole"
    sha256 = hashlib.sha256(data).hexdigest()
    for nth in range(1, 40):
        folder = tmp_path / str(nth)
        blobs = Blobs(folder)
        if before is not None:
            blobs.path(sha256).parent.mkdir()
            blobs.path(sha256).write_bytes(before)
        with pytest.MonkeyPatch.context() as patch:
            disk = FailingDisk(patch, nth, for_ever)
            stored = put(blobs, data)
        path = blobs.path(sha256)
        assert not path.exists() or path.read_bytes() in {data, before}
        if stored:
            assert blobs.get(sha256) == data
        assert left_over(folder) == []
        assert blobs.put(data) == sha256  # and afterwards it works
        assert blobs.get(sha256) == data
        if disk.calls < nth:
            break  # every step has failed once
    else:
        pytest.fail("the write has no end of steps")
    assert nth > 3 or before == data


def test_a_kill_amid_a_write_leaves_a_part_that_the_next_start_takes_away(tmp_path: Path) -> None:
    Blobs(tmp_path)
    part = tmp_path / "tmp" / "0123.part"
    part.write_bytes(b"half")
    (tmp_path / "tmp" / "duckdb").mkdir()  # the database's own
    Blobs(tmp_path)
    assert [path.name for path in left_over(tmp_path)] == ["duckdb"]


def test_a_missing_file_says_so(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        blobs.get("0" * 64)
    assert not BlobMissing.may_pass


@pytest.mark.parametrize("content", [b"", b"hellO", b"hello and more"])
def test_a_damaged_file_says_so_and_is_made_whole_by_the_same_bytes(blobs: Blobs, content: bytes) -> None:
    sha256 = blobs.put(b"hello")
    blobs.path(sha256).write_bytes(content)
    with pytest.raises(BlobDamaged):
        blobs.get(sha256)
    assert not BlobDamaged.may_pass
    blobs.put(b"hello")
    assert blobs.get(sha256) == b"hello"


def test_a_disk_that_cannot_be_read_may_be_read_later(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = blobs.put(b"hello")

    def refuse(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(pathlib.Path, "read_bytes", refuse)
    with pytest.raises(StorageError, match="Input/output error") as caught:
        blobs.get(sha256)
    assert caught.value.may_pass


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        Blobs(tmp_path / "data")


def aged(path: Path) -> None:
    """Make a file as old as if it had been written in 2001."""
    os.utime(path, ns=(10**18, 10**18))


def test_sweeping_takes_what_nothing_needs_and_nothing_else(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    needed = {blobs.put(bytes([number])) for number in range(10)}
    for number in range(10, 30):
        blobs.put(bytes([number]))
    assert sum(blobs.sweep(folder, lambda names: set(names) - needed, -1) for folder in FOLDERS) == 20
    assert {path.name for path in files(tmp_path)} == needed
    assert sum(blobs.sweep(folder, lambda names: set(names) - needed, -1) for folder in FOLDERS) == 0


def test_young_files_stay_whoever_needs_them(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    old, young = blobs.put(b"old"), blobs.put(b"young")
    hour_ago = time.time() - 3601
    os.utime(blobs.path(old), (hour_ago, hour_ago))
    candidates: list[str] = []

    def unneeded(names: Sequence[str]) -> Sequence[str]:
        candidates.extend(names)
        return names

    assert sum(blobs.sweep(folder, unneeded, 3600) for folder in FOLDERS) == 1
    assert candidates == [old]
    assert [path.name for path in files(tmp_path)] == [young]


def test_a_file_that_is_put_again_while_it_is_swept_stays(tmp_path: Path) -> None:
    """Whatever saves a row that names the file has put it before: the sweep has asked too early."""
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(b"again")
    aged(blobs.path(sha256))

    def put_again(names: Sequence[str]) -> Sequence[str]:
        assert blobs.put(b"again") == sha256
        return names

    assert blobs.sweep(sha256[:2], put_again, 3600) == 0
    assert blobs.get(sha256) == b"again"
    aged(blobs.path(sha256))
    with blobs.receive((b"again",)) as incoming:
        aged(incoming.path)  # it took long to look at

        def keep(names: Sequence[str]) -> Sequence[str]:
            incoming.keep()
            return names

        assert blobs.sweep(sha256[:2], keep, 3600) == 0
    assert blobs.get(sha256) == b"again"


def test_a_file_that_is_swept_before_it_is_put_again_is_written_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with blobs.receive((b"again",)) as incoming:
        incoming.keep()
    sha256 = blobs.put(b"again")
    aged(blobs.path(sha256))
    assert blobs.sweep(sha256[:2], lambda names: names, 3600) == 1
    with pytest.raises(BlobMissing):
        blobs.get(sha256)
    with blobs.receive((b"again",)) as incoming:
        aged(incoming.path)
        incoming.keep()
    assert blobs.sweep(sha256[:2], lambda names: names, 3600) == 0
    assert blobs.put(b"again") == sha256
    assert blobs.get(sha256) == b"again"


def test_putting_and_sweeping_at_the_same_time_never_loses_a_file(tmp_path: Path) -> None:
    """What is old may go at any moment until it is put again; from then on it is there."""
    blobs = Blobs(tmp_path)
    stop = threading.Event()

    def sweep() -> int:
        swept = 0
        while not stop.is_set():
            swept += sum(blobs.sweep(folder, lambda names: names, 3600) for folder in FOLDERS)
        return swept

    def put(number: int) -> None:
        content = bytes([number])
        for _ in range(100):
            sha256 = blobs.put(content)
            assert blobs.get(sha256) == content
            with contextlib.suppress(FileNotFoundError):
                aged(blobs.path(sha256))

    with ThreadPoolExecutor(5) as pool:
        sweeper = pool.submit(sweep)
        list(pool.map(put, range(4)))
        wait_until(lambda: not files(tmp_path), what="the sweep of what is old")
        stop.set()
        assert sweeper.result(60) > 0


# What has been checked is remembered


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been hashed since, one entry a file or piece of bytes."""
    hashed = []
    real, real_file = hashlib.sha256, hashlib.file_digest
    monkeypatch.setattr(hashlib, "sha256", lambda *data: hashed.append("bytes") or real(*data))
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, name: hashed.append(file.name) or real_file(file, real)
    )
    return hashed


def test_a_file_is_hashed_once_a_process(blobs: Blobs, tmp_path: Path, digests: list[str]) -> None:
    sha256 = blobs.put(b"hello")
    aged(blobs.path(sha256))
    digests.clear()
    for _ in range(3):
        assert blobs.path_of(sha256).read_bytes() == blobs.get(sha256) == b"hello"
    assert len(digests) == 1


def test_a_file_that_was_just_written_is_not_trusted_yet(blobs: Blobs, digests: list[str]) -> None:
    """Changed again within the same tick it would have the same time."""
    sha256 = blobs.put(b"hello")
    digests.clear()
    for _ in range(3):
        blobs.path_of(sha256)
    assert len(digests) == 3


@pytest.mark.parametrize("read", [Blobs.get, Blobs.path_of])
def test_damage_is_found_at_the_first_read_of_a_process(
    blobs: Blobs, read: Callable[[Blobs, str], object]
) -> None:
    sha256 = blobs.put(b"hello")
    blobs.path(sha256).write_bytes(b"hellO")
    aged(blobs.path(sha256))
    for _ in range(2):
        with pytest.raises(BlobDamaged):
            read(blobs, sha256)


@pytest.mark.parametrize("read", [Blobs.get, Blobs.path_of])
def test_a_file_that_changes_is_checked_again(blobs: Blobs, read: Callable[[Blobs, str], object]) -> None:
    sha256 = blobs.put(b"hello")
    aged(blobs.path(sha256))
    read(blobs, sha256)
    blobs.path(sha256).write_bytes(b"hellO")
    with pytest.raises(BlobDamaged):
        read(blobs, sha256)


def test_an_audit_finds_what_no_time_betrays(blobs: Blobs) -> None:
    """The disk loses a bit: size and time are as they were."""
    names = [blobs.put(bytes([number]) * 100) for number in range(10)]
    for name in names:
        aged(blobs.path(name))
        blobs.path_of(name)
    assert blobs.audit() == BlobAudit(10, 1000, ())
    blobs.path(names[3]).write_bytes(b"x" * 100)
    aged(blobs.path(names[3]))
    blobs.path_of(names[3])  # as far as this process knows
    assert blobs.audit() == BlobAudit(10, 1000, (names[3],))
    with pytest.raises(BlobDamaged):
        blobs.path_of(names[3])


def test_only_so_many_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digests: list[str]
) -> None:
    monkeypatch.setattr("core.files.blobs.MAX_VERIFIED", 2)
    blobs = Blobs(tmp_path)
    names = [blobs.put(bytes([number])) for number in range(3)]
    for name in names:
        aged(blobs.path(name))
        blobs.path_of(name)
    digests.clear()
    blobs.path_of(names[2])
    blobs.path_of(names[0])
    assert len(digests) == 1


def test_without_verifying_only_the_place_is_looked_at(blobs: Blobs, digests: list[str]) -> None:
    sha256 = blobs.put(b"hello")
    digests.clear()
    assert blobs.path_of(sha256, verify=False) == blobs.path(sha256)
    assert digests == []
    with pytest.raises(BlobMissing):
        blobs.path_of("0" * 64, verify=False)


# Received piece by piece


def test_a_received_file_is_stored_or_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with blobs.receive([b"he", b"llo"]) as incoming:
        assert (incoming.path.read_bytes(), incoming.n_bytes) == (b"hello", 5)
        assert incoming.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert files(tmp_path) == left_over(tmp_path) == []
    with blobs.receive([b"he", b"llo"]) as incoming:
        incoming.keep()
    assert blobs.get(incoming.sha256) == b"hello"
    assert left_over(tmp_path) == []
    with pytest.raises(ZeroDivisionError), blobs.receive(bytes(1 // number) for number in (1, 0)):
        pass
    assert left_over(tmp_path) == []
