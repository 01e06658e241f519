"""Uploads: a verdict for every file, the same bytes once, and nothing shown as stored that could be lost."""

from __future__ import annotations

import errno
import hashlib
import os
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.db import Database
from core.files.blobs import Blobs
from core.images import Plane, Reader
from core.ingest import MAX_NAME, Ingest, UploadOutcome, clean_name, image_id
from core.models import ImageStatus, JobState, Limits, PixelSizeSource, Project, Raster
from core.monitoring import QueryRecorder
from core.queue.admission import Admission
from core.settings import Settings
from core.store import Store
from tests import corpus
from tests.factories import RECIPE, claim, finish, result, spheroid

pytestmark = pytest.mark.slow

FILE = corpus.png(corpus.spheroid())


@pytest.fixture
def ingest(store: Store, blobs: Blobs) -> Ingest:
    return Ingest(store, blobs, Limits())


def files(settings: Settings, folder: str = "blobs") -> list[str]:
    return sorted(path.name for path in (settings.data / folder).rglob("*") if path.is_file())


# Verdicts


def test_a_good_file_is_stored_described_and_queued(
    ingest: Ingest, store: Store, blobs: Blobs, project: Project
) -> None:
    verdict = ingest.add(project.id, "well A1.png", FILE, RECIPE)
    assert (verdict.outcome, verdict.name, verdict.code) == (UploadOutcome.STORED, "well A1.png", None)
    assert verdict.message.startswith("64×64 px, ")
    assert verdict.message.endswith("pixel size unknown")
    (key,) = verdict.image_ids
    image = store.images.get(key)
    assert (image.name, image.sha256) == ("well A1.png", hashlib.sha256(FILE).hexdigest())
    assert (image.width, image.height, image.dtype, image.n_bytes) == (64, 64, "uint16", len(FILE))
    assert image.status is ImageStatus.QUEUED
    assert blobs.get(image.sha256) == FILE
    assert blobs.get(image.thumbnail_sha256).startswith(b"RIFF")
    assert claim(store).image_id == key


def test_without_a_recipe_nothing_is_queued(ingest: Ingest, store: Store, project: Project) -> None:
    (key,) = ingest.add(project.id, "a.png", FILE, None).image_ids
    assert store.images.get(key).status is ImageStatus.NEW
    assert store.jobs.totals().left == 0


def test_the_files_own_pixel_size_is_taken_and_told(ingest: Ingest, store: Store, project: Project) -> None:
    scaled = corpus.tiff(corpus.spheroid(), imagej=True, resolution=(2.0, 2.0), metadata={"unit": "um"})
    verdict = ingest.add(project.id, "a.tif", scaled, None)
    assert verdict.message.endswith("0.5 µm/px")
    image = store.images.get(verdict.image_ids[0])
    assert (image.um_per_px, image.um_per_px_source) == (0.5, PixelSizeSource.FILE)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (corpus.html(), "not_an_image"),
        (corpus.pdf(), "not_an_image"),
        (corpus.gif(), "not_an_image"),
        (corpus.truncated_png(), "image_unreadable"),
        (corpus.flipped_png(), "image_unreadable"),
        (corpus.truncated_tiff(), "image_unreadable"),
        (corpus.nan_tiff(), "pixels_unsupported"),
        (corpus.pixel_bomb_png(), "image_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_refused_with_its_reason_and_leaves_nothing(
    ingest: Ingest, store: Store, settings: Settings, project: Project, data: bytes, code: str
) -> None:
    verdict = ingest.add(project.id, "bad.png", data, RECIPE)
    assert (verdict.outcome, verdict.code, verdict.image_ids) == (UploadOutcome.REFUSED, code, ())
    assert len(verdict.message) > 20
    assert store.images.page(project.id).total == 0
    assert store.jobs.totals().left == 0
    assert files(settings) == []


def test_limits_are_those_given(store: Store, blobs: Blobs, project: Project) -> None:
    small = Ingest(store, blobs, Limits(max_bytes=len(FILE) - 1))
    assert small.add(project.id, "a.png", FILE, None).code == "image_too_large"
    few = Ingest(store, blobs, Limits(max_pages=2))
    assert few.add(project.id, "a.tif", corpus.stack(3), None).code == "image_too_large"
    assert few.add(project.id, "a.tif", corpus.stack(2), None).outcome is UploadOutcome.STORED


def test_a_fault_in_here_refuses_its_file_and_no_other(
    ingest: Ingest, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thumbnail(*_: object) -> bytes:
        raise ValueError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr("core.images.rendering.thumbnail", thumbnail)
        verdict = ingest.add(project.id, "a.png", FILE, RECIPE)
    assert (verdict.outcome, verdict.code) == (UploadOutcome.REFUSED, "error")
    assert "ValueError" in verdict.message
    assert "a fault" not in verdict.message
    assert ingest.add(project.id, "a.png", FILE, RECIPE).outcome is UploadOutcome.STORED


def test_a_full_queue_refuses_the_file(db: Database, blobs: Blobs) -> None:
    store = Store(db, max_queued=1)
    project = store.projects.create("Small", "fake")
    ingest = Ingest(store, blobs, Limits())
    assert ingest.add(project.id, "a.png", FILE, RECIPE).outcome is UploadOutcome.STORED
    verdict = ingest.add(project.id, "b.png", corpus.png(corpus.noise()), RECIPE)
    assert (verdict.outcome, verdict.code) == (UploadOutcome.REFUSED, "queue_full")
    assert store.images.page(project.id).total == 1
    assert ingest.add(project.id, "b.png", corpus.png(corpus.noise()), None).outcome is UploadOutcome.STORED


# The same bytes again


def test_the_same_bytes_are_one_image_whatever_their_name(
    ingest: Ingest, store: Store, settings: Settings, project: Project
) -> None:
    first = ingest.add(project.id, "first#1.png", FILE, RECIPE)
    before = files(settings)
    same = ingest.add(project.id, "first#1.png", FILE, RECIPE)
    other = ingest.add(project.id, "other.png", FILE, RECIPE)
    assert (same.outcome, other.outcome) == (UploadOutcome.PRESENT, UploadOutcome.PRESENT)
    assert same.message == "The same file is in this project already."
    assert other.message == "The same file is in this project already, as first#1.png."
    assert same.image_ids == other.image_ids == first.image_ids
    assert store.images.page(project.id).total == 1
    assert store.jobs.totals().left == 1
    assert files(settings) == before


def test_the_same_file_may_be_in_two_projects_and_is_stored_once(
    ingest: Ingest, store: Store, settings: Settings, project: Project
) -> None:
    other = store.projects.create("Other", "fake")
    one = ingest.add(project.id, "a.png", FILE, RECIPE)
    before = files(settings)
    two = ingest.add(other.id, "a.png", FILE, RECIPE)
    assert (one.outcome, two.outcome) == (UploadOutcome.STORED, UploadOutcome.STORED)
    assert one.image_ids != two.image_ids
    assert files(settings) == before


@pytest.mark.slow
def test_four_hundred_uploads_of_the_same_bytes_make_one_of_everything(
    ingest: Ingest, store: Store, settings: Settings, project: Project
) -> None:
    names = [f"copy {number}.png" for number in range(16 * 25)]
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda name: ingest.add(project.id, name, FILE, RECIPE), names))
    assert Counter(verdict.outcome for verdict in verdicts) == {
        UploadOutcome.STORED: 1,
        UploadOutcome.PRESENT: 399,
    }
    assert len({verdict.image_ids for verdict in verdicts}) == 1
    (stored,) = [verdict for verdict in verdicts if verdict.outcome is UploadOutcome.STORED]
    image = store.images.get(stored.image_ids[0])
    assert image.name == stored.name
    assert store.images.page(project.id).total == 1
    assert store.jobs.page(None).total == 1
    assert files(settings) == sorted({image.sha256, image.thumbnail_sha256})
    assert files(settings, "tmp") == []


def test_a_deleted_file_that_is_dropped_again_comes_back_with_its_results(
    ingest: Ingest, store: Store, project: Project
) -> None:
    (key,) = ingest.add(project.id, "a.png", FILE, None).image_ids
    before = finish(store, key, spheroid())
    store.images.delete(project.id, [key])
    verdict = ingest.add(project.id, "renamed.png", FILE, RECIPE)
    assert (verdict.outcome, verdict.image_ids) == (UploadOutcome.RESTORED, (key,))
    assert "with its results" in verdict.message
    assert store.images.get(key) == before


def test_a_deleted_file_without_results_comes_back_and_is_queued(
    ingest: Ingest, store: Store, project: Project
) -> None:
    (key,) = ingest.add(project.id, "a.png", FILE, RECIPE).image_ids
    store.images.delete(project.id, [key])
    assert store.jobs.totals().left == 0
    assert ingest.add(project.id, "a.png", FILE, None).outcome is UploadOutcome.RESTORED
    assert store.images.get(key).status is ImageStatus.NEW
    store.images.delete(project.id, [key])
    verdict = ingest.add(project.id, "a.png", FILE, RECIPE)
    assert verdict.message == "It had been deleted here and is back."
    assert store.images.get(key).status is ImageStatus.QUEUED


def test_a_damaged_or_missing_file_is_made_whole_by_dropping_it_again(
    ingest: Ingest, store: Store, blobs: Blobs, project: Project
) -> None:
    (key,) = ingest.add(project.id, "a.png", FILE, RECIPE).image_ids
    path = blobs.path(store.images.get(key).sha256)
    path.write_bytes(FILE[:-1])
    assert ingest.add(project.id, "a.png", FILE, RECIPE).outcome is UploadOutcome.PRESENT
    assert blobs.get(path.name) == FILE
    path.unlink()
    ingest.add(project.id, "a.png", FILE, RECIPE)
    assert blobs.get(path.name) == FILE


# Several pages


def test_every_page_is_an_image_and_a_job_in_the_order_of_the_file(
    ingest: Ingest, store: Store, blobs: Blobs, project: Project
) -> None:
    data = corpus.stack(12)
    verdict = ingest.add(project.id, "stack.tif", data, RECIPE)
    assert verdict.message.startswith("12 pages, 8×8 px")
    images = [store.images.get(key) for key in verdict.image_ids]
    assert [image.page for image in images] == list(range(1, 13))
    assert [image.name for image in images] == [f"stack.tif#{page}" for page in range(1, 13)]
    assert {image.sha256 for image in images} == {hashlib.sha256(data).hexdigest()}
    assert len({image.thumbnail_sha256 for image in images}) <= 12
    listed = store.images.page(project.id, sort="created").items
    assert [row.id for row in listed] == list(verdict.image_ids)
    assert [claim(store).page for _ in images] == list(range(1, 13))


def test_a_stack_dropped_again_is_known_by_its_name(ingest: Ingest, store: Store, project: Project) -> None:
    data = corpus.stack(3)
    first = ingest.add(project.id, "stack.tif", data, None)
    same = ingest.add(project.id, "stack.tif", data, None)
    assert (same.outcome, same.message) == (
        UploadOutcome.PRESENT,
        "The same file is in this project already.",
    )
    other = ingest.add(project.id, "x.tif", data, None)
    assert other.message.endswith("as stack.tif.")
    store.images.delete(project.id, [first.image_ids[1]])
    assert ingest.add(project.id, "stack.tif", data, None).outcome is UploadOutcome.RESTORED
    assert store.images.page(project.id).total == 3


def test_every_page_is_decoded_once_and_a_known_file_not_at_all(
    ingest: Ingest, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = []
    real = Reader.read

    def read(self: Reader, plane: Plane) -> Raster:
        pages.append(plane.page)
        return real(self, plane)

    monkeypatch.setattr(Reader, "read", read)
    data = corpus.stack(5)
    assert ingest.add(project.id, "stack.tif", data, None).outcome is UploadOutcome.STORED
    assert pages == [1, 2, 3, 4, 5]
    assert ingest.add(project.id, "again.tif", data, None).outcome is UploadOutcome.PRESENT
    assert pages == [1, 2, 3, 4, 5]


def test_a_page_is_decoded_within_the_memory_for_images(store: Store, blobs: Blobs, project: Project) -> None:
    admission = Admission(40 * 2**20, timeout_seconds=0.01)
    ingest = Ingest(store, blobs, Limits(), admission)
    large = corpus.png(np.zeros((3000, 4000), np.uint8))
    assert ingest.add(project.id, "large.png", large, None).code == "image_too_large"
    assert admission.try_hold("another", 39 * 2**20, "another image")
    busy = ingest.add(project.id, "a.png", FILE, None)
    admission.release("another")
    assert (busy.outcome, busy.code) == (UploadOutcome.REFUSED, "app_busy")
    assert ingest.add(project.id, "a.png", FILE, None).outcome is UploadOutcome.STORED
    assert admission.held_bytes == 0


def test_a_page_of_a_long_stack_takes_the_memory_of_a_page(
    store: Store, blobs: Blobs, project: Project
) -> None:
    data = corpus.tiff(np.zeros((20, 1000, 1000), np.uint16), photometric="minisblack")
    ingest = Ingest(store, blobs, Limits(), Admission(45 * 2**20, timeout_seconds=0.01))
    assert len(data) > 39 * 10**6
    assert ingest.add(project.id, "stack.tif", data, None).outcome is UploadOutcome.STORED


# Streams


def test_a_stream_is_stored_piece_by_piece(ingest: Ingest, blobs: Blobs, project: Project) -> None:
    sizes = []

    class Stream(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            sizes.append(size)
            return super().read(size)

    data = corpus.png(corpus.noise((1200, 1200)))
    verdict = ingest.add(project.id, "a.png", Stream(data), None)
    assert verdict.outcome is UploadOutcome.STORED
    assert blobs.get(hashlib.sha256(data).hexdigest()) == data
    assert len(sizes) > 2
    assert all(size is not None and 0 < size <= 2**20 for size in sizes)


def test_a_stream_without_end_is_refused_at_the_limit(
    store: Store, blobs: Blobs, settings: Settings, project: Project
) -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return bytes(size or 0)

    verdict = Ingest(store, blobs, Limits(max_bytes=3 * 2**20)).add(project.id, "a.png", Endless(), None)
    assert verdict.code == "image_too_large"
    assert "3 MiB" in verdict.message
    assert files(settings) == files(settings, "tmp") == []


def test_a_stream_that_breaks_off_leaves_nothing(
    ingest: Ingest, settings: Settings, project: Project
) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    verdict = ingest.add(project.id, "a.png", Broken(), None)
    assert verdict.outcome is UploadOutcome.REFUSED
    assert files(settings) == files(settings, "tmp") == []


# Names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.tif", "a.tif"),
        ("../../etc/passwd", "passwd"),
        ("C:\\lab\\A1.tif", "A1.tif"),
        ("/abs/olute.png", "olute.png"),
        ("", "unnamed"),
        ("..", ".."),
        ("folder/", "unnamed"),
        ("nul\0in\x1bside\r\n.tif", "nulinside.tif"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("two\u2028lines\u2029.tif", "twolines.tif"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("µ-Ø × 日本.tif", "µ-Ø × 日本.tif"),
        ("=1+1.tif", "=1+1.tif"),
        ("<b>x</b>.png", "b>.png"),
    ],
)
def test_a_name_is_only_text_to_show(name: str, shown: str) -> None:
    assert clean_name(name) == shown


def test_a_long_name_keeps_its_beginning_and_its_ending() -> None:
    shown = clean_name("🔬" * 300 + " well A1.tif")
    assert len(shown) == MAX_NAME
    assert shown.startswith("🔬")
    assert shown.endswith("l A1.tif")
    assert "…" in shown
    assert clean_name("x" * MAX_NAME) == "x" * MAX_NAME


@given(name=st.text(max_size=400))
@hypothesis_settings(max_examples=150, deadline=None)
def test_any_name_becomes_one_short_printable_line(name: str) -> None:
    shown = clean_name(name)
    assert 0 < len(shown) <= MAX_NAME
    assert "/" not in shown
    assert "\\" not in shown
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode("utf-8")
    assert clean_name(shown) == shown


@pytest.mark.parametrize("name", ["../" * 100 + "🔬" * 300, "\0", "CON", "a" * 10_000, "\ud800.tif"])
def test_no_name_reaches_the_disk(
    ingest: Ingest, store: Store, settings: Settings, project: Project, name: str
) -> None:
    verdict = ingest.add(project.id, name, FILE, RECIPE)
    assert verdict.outcome is UploadOutcome.STORED
    assert store.images.get(verdict.image_ids[0]).name == verdict.name
    assert all(len(file) == 64 and int(file, 16) >= 0 for file in files(settings))
    everything = {path.name for path in settings.data.parent.iterdir()}
    assert everything == {"data"}


def test_an_id_is_of_project_bytes_and_page() -> None:
    ids = {image_id(*parts) for parts in (("p", "s", 1), ("q", "s", 1), ("p", "t", 1), ("p", "s", 2))}
    assert len(ids) == 4
    assert image_id("p", "s", 1) == image_id("p", "s", 1)


# What happens meanwhile


def test_a_project_that_has_gone_takes_nothing(
    ingest: Ingest, store: Store, settings: Settings, project: Project
) -> None:
    ingest.add(project.id, "a.png", FILE, RECIPE)
    before = files(settings)
    store.projects.delete(project.id)
    for data in (FILE, corpus.png(corpus.noise())):
        for key in (project.id, "never"):
            verdict = ingest.add(key, "a.png", data, RECIPE)
            assert (verdict.outcome, verdict.code) == (UploadOutcome.REFUSED, "not_found")
            assert "project" in verdict.message
    assert files(settings) == before


def test_a_project_deleted_while_the_file_is_read_takes_nothing(
    ingest: Ingest, store: Store, blobs: Blobs, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = blobs.put

    def put(data: bytes) -> str:
        if store.projects.list():
            store.projects.delete(project.id)
        return real(data)

    monkeypatch.setattr(blobs, "put", put)
    verdict = ingest.add(project.id, "a.png", FILE, RECIPE)
    assert (verdict.outcome, verdict.code) == (UploadOutcome.REFUSED, "not_found")
    store.projects.restore(project.id)
    assert store.images.page(project.id).total == 0


def test_a_full_disk_refuses_and_loses_nothing(
    ingest: Ingest, store: Store, settings: Settings, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    for nth in range(1, 20):
        calls = iter(range(nth))

        def fsync(handle: int, calls: object = calls) -> None:
            if next(calls, None) is None:  # type: ignore[call-overload]
                raise OSError(errno.ENOSPC, "No space left on device")
            real(handle)

        data = corpus.png(corpus.noise(seed=nth))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            verdict = ingest.add(project.id, f"{nth}.png", data, RECIPE)
        if verdict.outcome is UploadOutcome.STORED:
            break
        assert (verdict.outcome, verdict.code) == (UploadOutcome.REFUSED, "storage_error")
        assert "disk space" in verdict.message
        assert files(settings, "tmp") == []
        again = ingest.add(project.id, f"{nth}.png", data, RECIPE)
        assert again.outcome is UploadOutcome.STORED
    else:
        pytest.fail("the upload has no end of steps")
    assert nth > 2
    assert store.images.page(project.id).total == nth


def test_what_is_stored_is_there_after_a_restart(settings: Settings, blobs: Blobs) -> None:
    path = settings.data / "spheroscope.duckdb"
    db = Database.open(path, QueryRecorder())
    store = Store(db)
    project = store.projects.create("Kept", "fake")
    (key,) = Ingest(store, blobs, Limits()).add(project.id, "a.png", FILE, RECIPE).image_ids
    db.close()
    db = Database.open(path, QueryRecorder())
    store = Store(db)
    assert Blobs(settings.data).get(store.images.get(key).sha256) == FILE
    assert store.jobs.page(JobState.QUEUED).items[0].image_id == key
    assert store.results.finish(claim(store), result())
    db.close()
