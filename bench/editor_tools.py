"""The editor's tools as Chromium runs them, on an empty page: what a stroke makes of outlines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from playwright.sync_api import Page

from core.corrections import Region
from core.segmentation.engines.click_network import ClickModel, ClickNetwork
from core.ui.components.editor import SCRIPTS
from core.ui.components.viewer import asset
from tests.browser.chromium import browser_tab

Point = tuple[float, float]
# Of every stroke what becomes of all outlines; null where the tool refuses it.
STROKES = """([regions, [height, width], scale, strokes]) => strokes.map(({ tool, points, radius }) => {
  const draft = new EditorDraft({ width, height });
  draft.load(regions.map((region, place) => [place + 1, fromWire(region)]));
  const at = points.map(([x, y]) => ({ x, y }));
  try {
    if (tool === "bend") {
      const near = bendNear(draft, at[0], scale);
      if (!near) return null;
      const ring = near.bend.with(near.bend.placeAt(at[0], scale), at.at(-1));
      draft.apply(near.bend.changes(draft, near.number, ring));
    } else {
      const start = draft.labels.at(Math.floor(at[0].x), Math.floor(at[0].y));
      draft.apply(STROKES[tool](draft, { points: at, radius, start, selected: 0 }));
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return null;
  }
  return [...draft.objects.values()].map(toWire);
})"""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line that is drawn with a tool, through points (x, y) in image pixels; ``radius`` of the brush."""

    tool: str
    points: tuple[Point, ...]
    radius: float = 0.0

    def moved(self, x: float, y: float) -> Stroke:
        """The same line elsewhere."""
        return replace(self, points=tuple((across + x, down + y) for across, down in self.points))


class EditorTools:
    """Runs strokes in a page; ``network`` answers clicks."""

    def __init__(self, page: Page, network: ClickModel) -> None:
        self._page = page
        self.network = network

    def outcomes(
        self, regions: Sequence[Region], shape: tuple[int, int], scale: float, strokes: Sequence[Stroke]
    ) -> list[list[Region] | None]:
        """What each stroke alone makes of outlines; None where the tool refuses it.

        ``scale``: screen pixels an image pixel.
        """
        sent = [
            {"tool": item.tool, "points": [list(point) for point in item.points], "radius": item.radius}
            for item in strokes
        ]
        made = self._page.evaluate(
            STROKES, [[region.to_json() for region in regions], list(shape), scale, sent]
        )
        return [None if each is None else _regions(each) for each in made]


@contextmanager
def editor_tools() -> Iterator[EditorTools]:
    """Open a browser with the editor's arithmetic."""
    pure = ("viewer_camera.js", *(f"editor_{name}.js" for name in SCRIPTS[: SCRIPTS.index("outbox")]))
    names = "EditorDraft, STROKES, Refusal, bendNear, fromWire, toWire"
    scripts = "\n".join(asset(name) for name in pure)
    with browser_tab() as tab:
        tab.page.goto("about:blank")
        tab.page.evaluate(f"() => {{ {scripts}\nObject.assign(globalThis, {{ {names} }}); }}")
        yield EditorTools(tab.page, ClickNetwork())


def _regions(made: list[dict[str, Any]]) -> list[Region]:
    regions = (Region.from_json(item) for item in made if item["runs"])
    return [region for region in regions if region is not None]
