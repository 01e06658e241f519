"""A real browser before a real server, for tests that look at pages as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
LONG_MS = 90_000  # for what a page shows in a moment, also on a busy machine
expect.set_options(timeout=LONG_MS)
ARTEFACTS = ROOT / "test-artefacts"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120.0


@dataclass
class Tab:
    """One page of a browser, and what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def shot(self, name: str) -> Path:
        """Save what is seen under test-artefacts, and say where."""
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


def at_rest(page: Page) -> None:
    """Wait until the page's script has run; until then what it has drawn may move."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()


def still(part: Locator) -> None:
    """Wait until a part of the page lies where it lay a frame before."""
    part.element_handle().wait_for_element_state("stable")


def require_chromium() -> None:
    """Skip the test where there is no Chromium; fail it where one was promised (REQUIRE_SERVICES=1)."""
    if Path(CHROMIUM).exists():
        return
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"no Chromium at {CHROMIUM}")
    pytest.skip(f"no Chromium at {CHROMIUM}")


@contextmanager
def browser_tab(
    width: int = 1280,
    height: int = 800,
    theme: Literal["light", "dark"] = "light",
    touch: bool = False,
    zone: str = "UTC",
) -> Iterator[Tab]:
    """Open a page in a profile of its own, with nothing remembered; its size is in CSS pixels."""
    with (
        browser() as running,
        running.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            has_touch=touch,
            timezone_id=zone,
        ) as context,
    ):
        context.set_default_timeout(LONG_MS)
        tab = Tab(context.new_page())

        def heard(message: ConsoleMessage) -> None:
            if message.type == "error" and not _is_streamlits_search(message.location["url"]):
                tab.errors.append(f"{message.text} ({message.location['url']})")

        tab.page.on("console", heard)
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        yield tab


def _is_streamlits_search(url: str) -> bool:
    """Whether Streamlit looks for its server under the address of a page that was opened by a link.

    It does so first, and looks at the root once that has answered 404.
    """
    page, separator, _ = url.partition("/_stcore/")
    return bool(separator) and page.count("/") > 2  # more than scheme://host


_running: list[Browser] = []


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium, or share the one that runs.

    A thread may hold one Playwright only, and starting both takes 2 s; a page more, half a second.
    """
    if _running:
        yield _running[0]
        return
    require_chromium()
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS) as started,
    ):
        _running.append(started)
        try:
            yield started
        finally:
            _running.clear()


@contextmanager
def streamlit_server(
    script: Path, *flags: str, port: int = 0, command: str = "streamlit", env: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a Streamlit script on a port of this machine, a free one if none is given; yields its address.

    ``command`` is the module with Streamlit's command line. The server is killed in the end, as a crash
    would.
    """
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    arguments = [sys.executable, "-m", command, "run", str(script), f"--server.port={port}"]
    arguments += ["--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none"]
    arguments += ["--browser.gatherUsageStats=false", *flags]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            arguments,
            cwd=script.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_healthy(address, process)
            yield address
        except AssertionError as failure:
            log.seek(0)
            failure.add_note(f"The server said:\n{log.read().decode(errors='replace')}")
            raise
        finally:
            process.kill()
            process.wait()


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer within {START_S:.0f} s")
