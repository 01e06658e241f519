"""The app in a process of its own, on a data folder that was filled before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.services import Services
from core.settings import Settings
from tests.browser.chromium import ROOT, streamlit_server
from tests.http.lab import Lab


@contextmanager
def app_server(data: Path, *, port: int = 0, few_wells: bool = False, **env: str) -> Iterator[str]:
    """Run the app on a data folder, with settings as environment variables; yields its address.

    Its demo plate has four wells where ``few_wells`` is set. The app is killed in the end, as a crash would.
    """
    command = "tests.browser.few_wells" if few_wells else "streamlit"
    env["SPHEROSCOPE_DATA"] = str(data)
    with streamlit_server(ROOT / "app.py", port=port, command=command, env=env) as address:
        yield address


@contextmanager
def lab_in(data: Path) -> Iterator[Lab]:
    """Open a data folder to fill it before an app is started there; nothing works on its queue."""
    services = Services.open(Settings(data=data))
    try:
        services.queue.drain(5)
        yield Lab(services.store, services.blobs)
    finally:
        services.close()
