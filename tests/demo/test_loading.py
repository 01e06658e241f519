"""The demo plate is taken in to its end, whoever looks on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.demo.loading import DemoLoader
from core.demo.plate import DemoFile

SECONDS = 30.0
FILES = tuple(DemoFile(f"{number}.tif", b"") for number in range(5))


def test_every_file_is_taken_and_counted() -> None:
    taken: list[DemoFile] = []
    loading = DemoLoader(lambda: iter(FILES))
    loading.begin(taken.append).result(SECONDS)
    assert tuple(taken) == FILES
    assert loading.count == len(FILES)


def test_who_asks_meanwhile_waits_for_the_same_plate_and_later_begins_anew() -> None:
    go_on, taken = threading.Event(), list[str]()

    def draw() -> Iterator[DemoFile]:
        assert go_on.wait(SECONDS)
        yield from FILES

    loading = DemoLoader(draw)
    first = loading.begin(lambda file: taken.append(file.name))
    assert loading.begin(lambda _: taken.append("twice")) is first
    go_on.set()
    first.result(SECONDS)
    assert taken == [file.name for file in FILES]
    loading.begin(lambda _: taken.append("again")).result(SECONDS)
    assert taken.count("again") == len(FILES)


def test_an_error_is_told_and_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    def take(file: DemoFile) -> None:
        if file is FILES[2]:
            raise OSError("The disk is full.")

    loading = DemoLoader(lambda: iter(FILES))
    with pytest.raises(OSError, match="full"):
        loading.begin(take).result(SECONDS)
    assert loading.count == 2
    assert "event=demo.stopped taken=2" in caplog.text


def test_closing_stops_after_the_file_in_hand() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def take(_: DemoFile) -> None:
        begun.set()
        assert go_on.wait(SECONDS)

    loading = DemoLoader(lambda: iter(FILES))
    ended = loading.begin(take)
    assert begun.wait(SECONDS)
    closing = threading.Thread(target=loading.close)
    closing.start()
    assert loading._stopping.wait(SECONDS)
    go_on.set()
    closing.join(SECONDS)
    assert ended.done()
    assert loading.count == 1
