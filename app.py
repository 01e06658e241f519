"""The app that ``streamlit run app.py`` serves: Spheroscope's pages and its HTTP routes in one process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from starlette.concurrency import run_in_threadpool

from core import http
from core.accounts import AccessMode, AccessRules, check_address
from core.accounts.streamlit_login import check_login
from core.errors import SpheroscopeError
from core.services import app_services
from core.settings import Settings

CANNOT_START = 3

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def stop(error: SpheroscopeError) -> NoReturn:
    """End the process with a sentence; an exception would end the server with a page of traceback."""
    print(error.message, file=sys.stderr, flush=True)
    os._exit(CANNOT_START)


def read_settings() -> Settings:
    """The settings of this process; where one cannot be, the process ends."""
    try:
        settings = Settings.from_env()
        rules = AccessRules.of(settings)
        check_address(st.get_option("server.address") or "", rules)
        if rules.mode is AccessMode.OIDC:
            check_login()
        return settings
    except SpheroscopeError as error:
        stop(error)


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Open the services before the first visitor, drain and close them on SIGTERM."""
    try:
        services = await run_in_threadpool(app_services)
    except SpheroscopeError as error:
        stop(error)
    http.announce_first_admin(services.access, str(st.get_option("server.port")))
    await http.send_at_once()
    watch = asyncio.create_task(http.watch_loop(services.recorder))
    yield
    watch.cancel()
    # Told to stop once, running jobs get their time; told again, none.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, services.queue.stop_now)
    if not await run_in_threadpool(services.close):
        os._exit(0)  # a job that outlasts its time would hold up the end; the next start takes it up


app = st.App(
    Path(__file__).parent / "pages" / "_main.py",
    lifespan=lifespan,
    routes=http.routes(app_services),
    middleware=http.middleware(read_settings(), app_services),
)
