"""Many at once while images are segmented: pages, lists, thumbnails, metrics and downloads."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from websockets.exceptions import WebSocketException

from bench.plates import plate
from bench.report import Bar, Report, median_p95
from bench.running import Served, get_json, served
from bench.scenes import png, spheroids
from bench.sessions import Visitor, visitor
from core.services import Services
from core.settings import Settings

CLIENTS = (20, 100)
SECONDS = 60.0
PAGES = ("", "images", "queue")
THINK_S = 0.5  # between two acts of one client: nobody clicks faster
TIMEOUT_S = 60.0


@dataclass
class Tally:
    """What the clients saw: seconds by kind of request, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    async def timed(self, kind: str, act: Awaitable[None]) -> None:
        start = time.perf_counter()
        try:
            await act
        except Exception as error:  # whatever it is, it counts, and the client goes on
            self.errors.append(f"{kind}: {type(error).__name__}: {error}")
        else:
            self.seconds[kind].append(time.perf_counter() - start)


@dataclass(frozen=True)
class Known:
    """What clients may ask for."""

    address: str
    project_id: str
    image_ids: tuple[str, ...]
    queue_id: str


def run(quick: bool) -> Report:
    """20 and 100 clients for 60 s each (quick: 5 s), with the four segmentation threads at work."""
    report = Report("load")
    seconds = 5.0 if quick else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        for clients in CLIENTS:
            data = Path(folder) / str(clients) / "data"
            data.mkdir(parents=True)
            project_id = plate(data, "plate", 96, 5, side_px=256)
            waiting = _queue(data, 8 if quick else 300)
            with served(data) as app:
                _measure(report, app, project_id, waiting, (clients, seconds))
    return report


def _queue(data: Path, count: int) -> str:
    """A project whose images wait to be segmented when the app starts, enough for the whole run."""
    services = Services.open(Settings(data=data))
    services.queue.drain(1)  # not by this process
    project = services.create_project("being segmented")
    drawn = [spheroids(512, 2, seed) for seed in range(4)]
    for number in range(count):
        made = drawn[number % len(drawn)]
        made.pixels[0, 0] = number  # no two files are alike
        services.ingest.add(project.id, f"{number}.png", png(made), services.recipe(project))
    services.close()
    return project.id


def _measure(report: Report, app: Served, project_id: str, queue_id: str, load: tuple[int, float]) -> None:
    clients, seconds = load
    listed = get_json(f"{app.address}/api/projects/{project_id}/images?limit=200")["images"]
    known = Known(app.address, project_id, tuple(image["id"] for image in listed), queue_id)
    tally = Tally()
    before, start = app.peak.begin(), time.perf_counter()
    done = asyncio.run(_all_clients(known, tally, clients, seconds))
    took = time.perf_counter() - start
    everything = [value for values in tally.seconds.values() for value in values]
    for kind, values in [*sorted(tally.seconds.items()), ("all", everything)]:
        median, p95 = median_p95(values)
        report.rows.append(
            {
                "clients": clients,
                "request": kind,
                "count": len(values),
                "a_second": len(values) / took,
                "median_ms": median * 1000,
                "p95_ms": p95 * 1000,
            }
        )
    for error in sorted(set(tally.errors))[:5]:
        print(f"{clients} clients: {error}")
    report.bars.append(Bar(f"{clients} clients: errors", len(tally.errors), 0, ""))
    report.bars.append(Bar(f"{clients} clients: memory of the app", app.peak.highest, 1000, "MB"))
    report.rows.append(
        {
            "clients": clients,
            "request": f"memory {before:.0f} → {app.peak.highest:.0f} MB; segmented meanwhile",
            "count": done,
            "a_second": done / took,
            "median_ms": None,
            "p95_ms": None,
        }
    )


async def _all_clients(known: Known, tally: Tally, clients: int, seconds: float) -> int:
    """Returns how many images were segmented in that time."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=known.address, limits=limits, timeout=TIMEOUT_S) as http:
        before = await _segmented(http, known)
        end = time.perf_counter() + seconds
        await asyncio.gather(*(_client(number, http, known, tally, end) for number in range(clients)))
        return await _segmented(http, known) - before


async def _segmented(http: httpx2.AsyncClient, known: Known) -> int:
    projects = (await http.get("/api/projects")).json()["projects"]
    return int(next(item for item in projects if item["id"] == known.queue_id)["counts"]["done"])


async def _client(number: int, http: httpx2.AsyncClient, known: Known, tally: Tally, end: float) -> None:
    """One visitor: opens pages as a browser does, and asks for what their tables and pictures ask."""
    chosen = random.Random(number)
    await asyncio.sleep(chosen.uniform(0, THINK_S))
    try:
        async with visitor(known.address) as session:
            while time.perf_counter() < end:
                kind = chosen.choice(("page", *ADDRESSES))
                await tally.timed(kind, _act(kind, http, session, known, chosen))
                await asyncio.sleep(chosen.uniform(0, 2 * THINK_S))
    except (OSError, WebSocketException) as error:
        tally.errors.append(f"session: {type(error).__name__}: {error}")


async def _act(
    kind: str, http: httpx2.AsyncClient, session: Visitor, known: Known, chosen: random.Random
) -> None:
    if kind == "page":
        await session.open(chosen.choice(PAGES), f"project={known.project_id}")
    else:
        (await http.get(ADDRESSES[kind](known, chosen))).raise_for_status()


def _list(known: Known, chosen: random.Random) -> str:
    sort = chosen.choice(("-created", "name", "-diameter", "circularity"))
    offset = chosen.randrange(0, len(known.image_ids), 24)
    return f"/api/projects/{known.project_id}/images?limit=24&offset={offset}&sort={sort}"


def _metrics(_known: Known, chosen: random.Random) -> str:
    return f"/api/metrics/{chosen.choice(('performance', 'summary', 'health', 'endpoints'))}"


ADDRESSES: dict[str, Callable[[Known, random.Random], str]] = {
    "list": _list,
    "thumbnail": lambda known, chosen: f"/thumbs/{chosen.choice(known.image_ids)}",
    "metrics": _metrics,
    "table": lambda known, _: f"/downloads/projects/{known.project_id}/objects.csv",
    "original": lambda known, chosen: f"/downloads/images/{chosen.choice(known.image_ids)}/original",
}
