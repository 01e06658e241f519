"""A data folder with a segmented image, and what a hand does to its outlines in a browser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from core.images import label_png
from core.segmentation import describe
from core.store import Recipe
from core.store.results import Result
from tests.browser.app import lab_in
from tests.browser.chromium import at_rest, still
from tests.factories import claim
from tests.http.lab import Lab

RECIPE = Recipe("classical", "3", {})
WIDTH, HEIGHT = 480, 360
LARGE = 2**24  # pixels
# Of each spheroid x, y and radius; the third has a hole.
DISCS = ((110.0, 120.0, 45.0), (210.0, 120.0, 40.0), (360.0, 240.0, 60.0))

Labels = NDArray[np.int32]
Point = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """An image of a project."""

    project_id: str
    image_id: str
    version_id: str

    def address(self, server: str, edit: bool = True) -> str:
        more = "&edit=1" if edit else ""
        return f"{server}/image?project={self.project_id}&image={self.image_id}{more}"


def discs(
    shape: tuple[int, int] = (HEIGHT, WIDTH), places: tuple[tuple[float, float, float], ...] = DISCS
) -> Labels:
    """A label image of discs; the last one has a hole."""
    labels = np.zeros(shape, np.int32)
    for number, (x, y, radius) in enumerate(places, start=1):
        cv2.circle(labels, (round(x), round(y)), round(radius), number, -1)
    x, y, radius = places[-1]
    cv2.circle(labels, (round(x), round(y)), round(radius / 4), 0, -1)
    return labels


def picture_of(labels: Labels) -> NDArray[np.uint8]:
    """A grey picture in which the spheroids are dark and a little rough."""
    rng = np.random.default_rng(1)
    grey = cv2.GaussianBlur(np.where(labels > 0, np.uint8(90), np.uint8(190)), (0, 0), 2.0)
    if labels.size > LARGE:  # noise of its own for each pixel would take gigabytes
        rough = np.tile(
            rng.normal(0, 6, (512, 512)).astype(np.int8), [-(-side // 512) for side in labels.shape]
        )
        return np.asarray(grey + rough[: labels.shape[0], : labels.shape[1]].astype(np.uint8), np.uint8)
    return np.asarray((grey + rng.normal(0, 6, labels.shape)).clip(0, 255), np.uint8)


def small(picture: NDArray[np.generic]) -> NDArray[np.generic]:
    """A picture for a list, at most 256 pixels wide and high."""
    scale = min(1.0, 256 / max(picture.shape))
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def made_scene(folder: Path, labels: Labels | None = None, truth: Labels | None = None) -> Scene:
    """Fill a data folder with one image and the result of an engine; nothing is left open."""
    with lab_in(folder) as lab:
        return added_scene(lab, "Plate 1", discs() if labels is None else labels, truth)


def added_scene(lab: Lab, project_name: str, labels: Labels, truth: Labels | None = None) -> Scene:
    """Add a project with one image and the result of an engine; its picture shows ``truth``, if given."""
    pixels = picture_of(labels if truth is None else truth)
    project = lab.project(project_name, um_per_px=2.0)
    data = bytes(cv2.imencode(".png", pixels)[1])
    image = lab.image(project, "A05_day3.png", data)
    lab.store.jobs.enqueue(project.id, [image.id], RECIPE)
    result = Result(
        engine=RECIPE.engine,
        engine_version=RECIPE.engine_version,
        params={},
        spheroids=describe(labels, pixels),
        labels_sha256=lab.blobs.put(label_png.encode(labels)),
        thumbnail_sha256=lab.blobs.put(bytes(cv2.imencode(".png", small(pixels))[1])),
        timings_ms={"predict": 2.0},
        confidence=0.95,
    )
    assert lab.store.results.finish(claim(lab.store), result)
    version = lab.store.images.get(image.id).version_id
    assert version is not None
    return Scene(project.id, image.id, version)


def opened(page: Page, scene: Scene, server: str) -> None:
    """Open the image with its editor, once it can be used."""
    page.goto(scene.address(server))
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    saved(page)
    expect(page.locator(".message")).to_be_hidden()
    expect(page.locator(".object").first).to_be_attached()
    at_rest(page)  # it also runs because the editor is open, and then draws the lines above the picture anew


def saved(page: Page) -> None:
    """Wait until everything is stored."""
    expect(page.locator(".saved")).to_have_text("Saved")


def at(page: Page, x: float, y: float) -> Point:
    """Where a point of the image lies on the page, once the picture has come to rest."""
    return places(page, (x, y))[0]


def places(page: Page, *points: Point) -> list[Point]:
    """Where points of the image lie on the page, once the picture has come to rest."""
    picture = page.locator(".stage img").first
    still(picture)
    box = picture.bounding_box()
    assert box is not None
    width = picture.evaluate("image => parseFloat(image.style.width)")  # its file may be smaller
    scale = box["width"] / width
    return [(box["x"] + x * scale, box["y"] + y * scale) for x, y in points]


def drag(page: Page, *points: Point, button: Any = "left") -> None:
    """Draw through points of the image with the mouse."""
    first, *others = places(page, *points)
    page.mouse.move(*first)
    page.mouse.down(button=button)
    for place in others:
        page.mouse.move(*place, steps=8)
    page.mouse.up(button=button)


_NEXT_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def touch_drag(page: Page, *points: Point) -> None:
    """Draw through points of the image with one finger."""
    client = page.context.new_cdp_session(page)

    def send(kind: str, place: Point | None) -> None:
        touches = [] if place is None else [{"x": place[0], "y": place[1], "id": 1}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", at(page, *points[0]))
    for (x0, y0), (x1, y1) in pairwise(points):
        for step in range(1, 9):
            send("touchMove", at(page, x0 + (x1 - x0) * step / 8, y0 + (y1 - y0) * step / 8))
    send("touchEnd", None)
    client.detach()
    page.evaluate(
        _NEXT_FRAMES
    )  # unlike a mouse's, a finger's events are acknowledged before the page has them


def state(scene: Scene, server: str) -> dict[str, Any]:
    """Where the correction stands on the server."""
    with urlopen(f"{server}/api/images/{scene.image_id}/corrections", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def labels_of_state(found: dict[str, Any], shape: tuple[int, int] = (HEIGHT, WIDTH)) -> Labels:
    """The label image of a correction as the server has it."""
    labels = np.zeros(shape, np.int32)
    for item in found["objects"]:
        x, y, width, height = item["box"]
        flat = np.zeros(width * height, np.int32)
        for start, length in zip(item["runs"][::2], item["runs"][1::2], strict=True):
            flat[start : start + length] = item["number"]
        labels[y : y + height, x : x + width] += flat.reshape(height, width)
    return labels
