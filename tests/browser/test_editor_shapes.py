"""The editor's arithmetic of pixels, as Chromium runs it, against that of the server."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from core.corrections import Region, labels_of, regions_of
from core.corrections.regions import parts_of
from core.models import Contour
from core.segmentation.outlines.contours import rasterise
from core.ui.components.asset_files import asset
from core.ui.components.editor import SCRIPTS
from core.ui.format import three_digits
from tests.browser.chromium import browser_tab
from tests.corrections.scenes import SHAPE, random_labels

pytestmark = pytest.mark.browser
NAMES = (
    "Labels, EditorDraft, Bend, bendNear, STROKES, Refusal, regionOf, regionsOfParts, maskOf, ringsOf, "
    "fromWire, toWire, threeDigits, strokeMask"
)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page with the editor's arithmetic."""
    pure = ("viewer_camera.js", *(f"editor_{name}.js" for name in SCRIPTS[: SCRIPTS.index("outbox")]))
    scripts = "\n".join(asset(name) for name in pure)
    with browser_tab() as tab:
        tab.page.goto("about:blank")
        tab.page.evaluate(f"() => {{ {scripts}\nObject.assign(globalThis, {{ {NAMES} }}); }}")
        yield tab.page
        assert tab.errors == []


def wire(labels: Any) -> list[dict[str, Any]]:
    return [{"number": number} | region.to_json() for number, region in regions_of(labels).items()]


@pytest.mark.parametrize("n_images", [300, pytest.param(1000, marks=pytest.mark.full)])
def test_label_images_come_back_from_the_browser_as_they_went(page: Page, n_images: int) -> None:
    drawn = [random_labels(np.random.default_rng(seed)) for seed in range(n_images)]
    back = page.evaluate(
        """([images, [height, width]]) => images.map((objects) => {
          const labels = new Labels(width, height);
          objects.forEach((item) => labels.paint(fromWire(item), item.number));
          const numbers = labels.read({ x: 0, y: 0, width, height });
          return objects.map(({ number }) => {
            const mask = Uint8Array.from(numbers, (there) => (there === number ? 1 : 0));
            return { number, ...toWire(regionOf(mask, { x: 0, y: 0, width, height })) };
          });
        })""",
        [[wire(labels) for labels in drawn], SHAPE],
    )
    assert any((labels == 0).sum() != labels.size for labels in drawn)
    for labels, objects in zip(drawn, back, strict=True):
        regions = {item["number"]: Region.from_json(item) for item in objects}
        assert regions == regions_of(labels)
        assert np.array_equal(labels_of({n: r for n, r in regions.items() if r}, SHAPE), labels)


def test_outlines_that_the_browser_draws_enclose_exactly_the_pixels(page: Page) -> None:
    regions = [
        part
        for seed in range(60)
        for region in regions_of(random_labels(np.random.default_rng(1000 + seed))).values()
        for part in parts_of(region)
    ]
    rings = page.evaluate(
        "(regions) => regions.map((region) => ringsOf(fromWire(region)))",
        [item.to_json() for item in regions],
    )
    for region, (outer, *holes) in zip(regions, rings, strict=True):
        shapes = [tuple(zip(ring[::2], ring[1::2], strict=True)) for ring in (outer, *holes)]
        drawn = rasterise([Contour(shapes[0], tuple(shapes[1:]))], SHAPE)
        assert np.array_equal(drawn > 0, labels_of({1: region}, SHAPE) > 0)


def test_the_parts_of_a_mask_are_those_of_the_server(page: Page) -> None:
    regions = [
        region
        for seed in range(100)
        for region in regions_of(random_labels(np.random.default_rng(2000 + seed))).values()
    ]
    found = page.evaluate(
        """(regions) => regions.map(fromWire)
          .map((region) => regionsOfParts(maskOf(region), region).map(toWire))""",
        [region.to_json() for region in regions],
    )
    assert max(len(parts) for parts in found) > 1
    for region, parts in zip(regions, found, strict=True):
        assert {str(part) for part in parts} == {str(part.to_json()) for part in parts_of(region)}


def test_a_stroke_covers_the_pixels_within_its_radius(page: Page) -> None:
    rng = np.random.default_rng(5)
    height, width = SHAPE
    rows, columns = np.indices(SHAPE)
    for _ in range(40):
        points = rng.uniform(-5, 55, (int(rng.integers(1, 5)), 2))
        radius = float(rng.uniform(0.5, 12))
        found = page.evaluate(
            """([points, radius, width, height]) =>
              [...strokeMask(points.map(([x, y]) => ({ x, y })), radius, { x: 0, y: 0, width, height })]""",
            [points.tolist(), radius, width, height],
        )
        near = np.zeros(SHAPE, np.bool_)
        for (x0, y0), (x1, y1) in pairwise([points[0], *points]):
            dx, dy = x1 - x0, y1 - y0
            px, py = columns + 0.5 - x0, rows + 0.5 - y0
            along = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            near |= np.hypot(px - along * dx, py - along * dy) <= radius
        assert np.array_equal(np.array(found, np.bool_).reshape(SHAPE), near)


STROKE = """([tool, objects, [height, width], points]) => {
  const draft = new EditorDraft({ width, height });
  draft.load(objects.map((item) => [item.number, fromWire(item)]));
  const at = points.map(([x, y]) => ({ x, y }));
  const start = draft.labels.at(Math.floor(at[0].x), Math.floor(at[0].y));
  try {
    const changes = STROKES[tool](draft, { points: at, radius: 3, start, selected: 0 });
    draft.apply(changes);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  return [...draft.objects].map(([number, region]) => ({ number, ...toWire(region) }));
}"""


@pytest.mark.parametrize("tool", ["brush", "erase", "draw", "cut", "merge", "delete", "fill"])
def test_no_tool_makes_outlines_overlap_or_takes_pixels_of_others(page: Page, tool: str) -> None:
    changed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = random_labels(rng)
        before = {number: parts_of(region)[0] for number, region in regions_of(labels).items()}
        sent = [{"number": number} | region.to_json() for number, region in before.items()]
        points = rng.uniform(0, (SHAPE[1], SHAPE[0]), (5, 2)).tolist()
        found = page.evaluate(STROKE, [tool, sent, SHAPE, points])
        after = {item["number"]: Region.from_json(item) for item in found}
        regions = {number: region for number, region in after.items() if region}
        covered = np.zeros(SHAPE, int)
        for region in regions.values():
            covered[region.box] += region.mask
            assert len(parts_of(region)) == 1, "an outline outlines one part"
        assert covered.max(initial=0) <= 1
        changed += regions != before
        if tool in ("cut", "delete"):
            assert not (covered > (labels > 0)).any(), "it adds no pixels"
        if tool == "cut":
            assert covered.sum() == sum(region.area for region in before.values()), "it loses none"
    assert changed > 5


def test_a_cut_through_a_ring_makes_two_and_a_cut_into_it_nothing(page: Page) -> None:
    labels = np.zeros(SHAPE, np.int32)
    rows, columns = np.indices(SHAPE)
    away = np.hypot(rows - 20, columns - 24)
    labels[(away < 15) & (away > 5)] = 1
    through = page.evaluate(STROKE, ["cut", wire(labels), SHAPE, [[24.0, 1.0], [24.0, 39.0]]])
    assert len(through) == 2
    assert sum(sum(item["runs"][1::2]) for item in through) == (labels > 0).sum()
    into = page.evaluate(STROKE, ["cut", wire(labels), SHAPE, [[24.0, 1.0], [24.0, 20.0]]])
    assert [item["number"] for item in into] == [1]


def test_the_stretch_that_follows_a_pull_is_as_long_as_the_pull_is_far(page: Page) -> None:
    labels = np.zeros((200, 200), np.int32)
    rows, columns = np.indices(labels.shape)
    labels[np.hypot(rows - 100, columns - 100) < 60] = 1
    outlines = page.evaluate(
        """([objects, [height, width]]) => [4, 16].map((far) => {
          const draft = new EditorDraft({ width, height });
          draft.load(objects.map((item) => [item.number, fromWire(item)]));
          const point = { x: 161, y: 103 };
          const { number, bend } = bendNear(draft, point, 1);
          const ring = bend.with(bend.placeAt(point, 1), { x: point.x + far, y: point.y });
          draft.apply(bend.changes(draft, number, ring));
          return toWire(draft.objects.get(1));
        })""",
        [wire(labels), labels.shape],
    )
    moved = []
    for outline in outlines:
        region = Region.from_json(outline)
        assert region is not None
        changed = (labels_of({1: region}, labels.shape) > 0) != (labels > 0)
        moved.append(int(np.ptp(np.flatnonzero(changed.any(axis=1)))))
    assert moved[0] + 20 < moved[1] < 120
    nothing = page.evaluate(
        """([objects, [height, width], points]) => {
          const draft = new EditorDraft({ width, height });
          draft.load(objects.map((item) => [item.number, fromWire(item)]));
          return points.map(([x, y]) => bendNear(draft, { x, y }, 1));
        }""",
        [wire(labels), labels.shape, [[100, 100], [2, 2], [-50, 20]]],
    )
    assert nothing == [None, None, None]


def test_bending_moves_only_the_stretch_next_to_the_place_that_is_pulled(page: Page) -> None:
    labels = np.zeros((120, 160), np.int32)
    rows, columns = np.indices(labels.shape)
    labels[np.hypot(rows - 60, columns - 60) < 40] = 1
    handles, bent = page.evaluate(
        """([objects, [height, width]]) => {
          const draft = new EditorDraft({ width, height });
          draft.load(objects.map((item) => [item.number, fromWire(item)]));
          const bend = new Bend(draft.objects.get(1));
          const [right] = [...bend.handles].sort((one, other) => bend.outer[other].x - bend.outer[one].x);
          const from = bend.outer[right];
          draft.apply(bend.changes(draft, 1, bend.with(right, { x: from.x + 20, y: from.y })));
          return [bend.handles.length, toWire(draft.objects.get(1))];
        }""",
        [wire(labels), labels.shape],
    )
    region = Region.from_json(bent)
    assert region is not None
    assert 8 <= handles <= 40
    moved = (labels_of({1: region}, labels.shape) > 0) != (labels > 0)
    assert region.x + region.width == pytest.approx(120, abs=2)
    assert moved.any()
    assert not moved[:, :60].any(), "the far side is as it was"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.9312, "0.931"),
        (999.6, "1\u202f000"),
        (132_961, "133\u202f000"),
        (41.249, "41.2"),
    ],
)
def test_numbers_are_written_as_on_the_pages(page: Page, value: float | None, text: str) -> None:
    assert page.evaluate("(value) => threeDigits(value)", value) == text == three_digits(value)
