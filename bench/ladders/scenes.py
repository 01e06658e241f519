"""The ladders' scenes: a rung is one photograph with its exact truth, and one thing is harder on each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.ladders import optics
from bench.ladders.fields import Floats, Mask, body, rim_distance, specks, texture
from bench.ladders.optics import Matter

SIDE = 600
USUAL = 0.12  # share of the field that a body takes where a ladder is about something else
Labels = NDArray[np.int32]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Rung:
    """``pixels`` (Y, X) and ``labels`` int32 (Y, X), 0 is background."""

    pixels: Pixels
    labels: Labels


@dataclass(slots=True)
class Stage:
    """A scene in the making: bodies are laid on it, then it is photographed."""

    rng: np.random.Generator
    labels: Labels = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.int32))
    scattered: Floats = field(default_factory=lambda: np.zeros((SIDE, SIDE), np.float32))
    bent: Floats = field(default_factory=lambda: np.ones((SIDE, SIDE), np.float32))
    gradient: float = 0.0
    sigma_px: float = 0.8

    def add(self, mask: Mask, matter: Matter) -> None:
        """Lay a body on what is there; it covers what it overlaps."""
        self.labels[mask] = int(self.labels.max()) + 1
        here = _window(mask)
        own = np.ascontiguousarray(mask[here])
        self.scattered[here] = np.where(own, optics.opacity(self.rng, own, matter), self.scattered[here])
        self.bent[here] *= optics.refracted(own, matter.refraction)

    def light(self) -> Floats:
        """What reaches the lens."""
        lamp = optics.lamp(self.rng, SIDE, self.gradient) * self.bent
        return optics.through(lamp, self.scattered)

    def rung(self, light: Floats | None = None, **camera: float) -> Rung:
        """Photograph it; ``camera``: of ``optics.photographed``."""
        seen = optics.defocus(self.light() if light is None else light, self.sigma_px)
        return Rung(optics.photographed(self.rng, seen, **camera), self.labels)  # type: ignore[arg-type]


def _window(mask: Mask) -> tuple[slice, slice]:
    """A square of the field that holds a body and the light that its edge bends."""
    spans = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    wide = min(SIDE, max(int(np.ptp(span)) for span in spans) + 33)
    starts = [int(np.clip((span[0] + span[-1] - wide) // 2, 0, SIDE - wide)) for span in spans]
    return slice(starts[0], starts[0] + wide), slice(starts[1], starts[1] + wide)


def one_body(rng: np.random.Generator, share: float | None = None, matter: Matter | None = None) -> Stage:
    """A stage with one body somewhere near the middle; ``share``: of the field that it takes."""
    stage = Stage(rng)
    taken = USUAL * np.exp(rng.uniform(-0.9, 0.7)) if share is None else share
    radius = SIDE * float(np.sqrt(taken / np.pi))
    room = max(0.0, SIDE / 2 - 1.15 * radius)
    center = (SIDE / 2 + rng.uniform(-1, 1) * room, SIDE / 2 + rng.uniform(-1, 1) * room)
    mask = body(rng, SIDE, center, taken * SIDE**2, rng.uniform(0.02, 0.08))
    strength = float(rng.uniform(1.0, 3.5))
    stage.add(mask, matter or Matter(strength, float(rng.uniform(0.1, 0.4)), float(rng.uniform(4, 11))))
    litter = specks(rng, SIDE, int(rng.exponential(12)), 5) * 0.8
    stage.scattered += litter * (stage.labels == 0)
    return stage


def diameter(stage: Stage) -> float:
    """Of the stage's first body, in pixels."""
    return 2 * float(np.sqrt(np.count_nonzero(stage.labels == 1) / np.pi))


def focus(rng: np.random.Generator, share: float) -> Rung:
    """A dark body; sigma of the blur as a share of its diameter."""
    stage = one_body(rng)
    stage.sigma_px = max(0.8, share * diameter(stage))
    return stage.rung()


def field_share(rng: np.random.Generator, share: float) -> Rung:
    """A dark body that takes this share of the field."""
    return one_body(rng, share).rung()


def corona(rng: np.random.Generator, reach: float) -> Rung:
    """Bright grain around a dark body that fades over this share of the field."""
    stage = one_body(rng, float(rng.uniform(0.02, 0.15)))
    light = stage.light() * 0.6
    away = np.maximum(-rim_distance(stage.labels > 0), 0)
    grain = np.maximum(1 + rng.uniform(0.4, 0.9) * texture(rng, SIDE, rng.uniform(1.5, 5)), 0)
    glow = rng.uniform(0.15, 0.5) * grain / (1 + (2 * away / (reach * SIDE)) ** 3)
    return stage.rung(light + np.where(stage.labels > 0, 0, glow).astype(np.float32))


def halo_of(rng: np.random.Generator, density: float) -> tuple[Rung, Labels]:
    """A dense body in looser, grainy matter of this share of its density; also labels of both together."""
    stage = one_body(rng, float(rng.uniform(0.03, 0.12)), Matter(float(rng.uniform(1.5, 3.0)), 0.2))
    core = stage.labels > 0
    strength = float(stage.scattered[core].mean())
    away = np.maximum(-rim_distance(core), 0)
    reach = rng.uniform(0.25, 0.7) * diameter(stage) / 2 * (1 + 0.2 * texture(rng, SIDE, 40))
    envelope = 1 / (1 + np.exp(np.clip((away - reach) / (0.12 * reach), -30, 30)))
    grain = np.maximum(1 + 0.35 * texture(rng, SIDE, rng.uniform(2, 5)), 0)
    loose = np.where(core, 0, density * strength * envelope * grain)
    stage.scattered = np.where(core, stage.scattered, stage.scattered + loose).astype(np.float32)
    return stage.rung(), (core | (envelope > 0.5)).astype(np.int32)


def halo(rng: np.random.Generator, density: float) -> Rung:
    """``halo_of``; the dense body is the truth."""
    return halo_of(rng, density)[0]


def halo_whole(rng: np.random.Generator, density: float) -> Rung:
    """``halo_of``; all that hangs together is the truth."""
    rung, both = halo_of(rng, density)
    return replace(rung, labels=both)


def well(rng: np.random.Generator, share: float) -> Rung:
    """A body in a thick dark round well, whose lumen is wider than it by this share's inverse."""
    lumen = rng.uniform(0.1, 0.24) * SIDE
    radius = lumen * share
    center = SIDE / 2 + rng.uniform(-0.12, 0.12, 2) * SIDE
    stage = Stage(rng)
    way, shift = rng.uniform(0, 2 * np.pi), 0.8 * (lumen - radius) * rng.random()
    middle = (center[0] + shift * np.cos(way), center[1] + shift * np.sin(way))
    mask = body(rng, SIDE, middle, np.pi * (0.95 * radius) ** 2, 0.03)
    stage.add(mask, Matter(float(rng.uniform(1, 3)), 0.2, float(rng.uniform(3, 7))))
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5
    away = np.hypot(x - center[0], y - center[1]) - lumen
    thick = rng.uniform(0.012, 0.06) * SIDE
    wall = rng.uniform(1, 5) * np.clip(1.5 - np.abs(away - thick / 2) / (thick / 2), 0, 1)
    stage.scattered += np.where(stage.labels > 0, 0, wall).astype(np.float32)
    stage.scattered += np.where((away < 0) & (stage.labels == 0), rng.uniform(0, 0.25), 0).astype(np.float32)
    stage.sigma_px = float(rng.uniform(0.8, 2.5))
    return stage.rung()


def meniscus(rng: np.random.Generator, strength: float) -> Rung:
    """A dark rim of liquid, this strong, that reaches the body from one side."""
    stage = one_body(rng, float(rng.uniform(0.03, 0.15)), Matter(float(rng.uniform(1.5, 3.5)), 0.2))
    rows, columns = np.nonzero(stage.labels)
    way = rng.uniform(0, 2 * np.pi)
    along = (np.mgrid[:SIDE, :SIDE][1] - columns.mean()) * np.cos(way)
    along = along + (np.mgrid[:SIDE, :SIDE][0] - rows.mean()) * np.sin(way)
    across = (np.mgrid[:SIDE, :SIDE][0] - rows.mean()) * np.cos(way)
    across = across - (np.mgrid[:SIDE, :SIDE][1] - columns.mean()) * np.sin(way)
    bow = along + across**2 / (rng.uniform(1.2, 5) * SIDE)  # a parabola that bends around the body
    depth = bow - 0.9 * diameter(stage) / 2
    rise = np.clip(depth / (rng.uniform(0.02, 0.08) * SIDE), 0, 1)
    fall = np.clip((rng.uniform(0.1, 0.25) * SIDE - depth) / (0.04 * SIDE), 0, 1)
    stage.scattered += np.where(stage.labels > 0, 0, strength * rise * fall).astype(np.float32)
    return stage.rung()


def gradient(rng: np.random.Generator, change: float) -> Rung:
    """Light that changes by this share from one side of the field to the other."""
    stage = one_body(rng)
    stage.gradient = change
    return stage.rung()


def noise(rng: np.random.Generator, ratio: float) -> Rung:
    """A body whose contrast is this many standard deviations of the noise."""
    stage = one_body(rng)
    contrast = 1 - 1 / (1 + float(stage.scattered[stage.labels > 0].mean()))
    return stage.rung(photons=float((ratio / contrast) ** 2))


def bits(rng: np.random.Generator, count: float) -> Rung:
    """A camera of so many bits, of whose range a sixth to all is used."""
    return one_body(rng).rung(bits=int(count), used=float(rng.uniform(0.15, 0.7)))


def pale(rng: np.random.Generator, strength: float) -> Rung:
    """A textured body that scatters this little light."""
    matter = Matter(strength, float(rng.uniform(0.25, 0.5)), float(rng.uniform(5, 11)), 1.0)
    return one_body(rng, matter=matter).rung()


def crowded(rng: np.random.Generator, count: float) -> Rung:
    """So many bodies of like size, a third of the field in all, that come near each other and may touch."""
    stage = Stage(rng)
    area = 0.34 * SIDE**2 / count
    radius = float(np.sqrt(area / np.pi))
    matter = Matter(float(rng.uniform(1.0, 3.0)), float(rng.uniform(0.1, 0.3)), float(min(8, radius / 2)))
    placed: list[tuple[float, float, float]] = []
    for _ in range(60 * int(count)):
        own = radius * float(np.exp(rng.normal(0, 0.15)))
        x, y = rng.uniform(own, SIDE - own, 2)
        if all(np.hypot(x - a, y - b) > 1.03 * (own + c) for a, b, c in placed):
            placed.append((float(x), float(y), own))
        if len(placed) == count:
            break
    for x, y, own in placed:
        mask = body(rng, SIDE, (x, y), np.pi * own**2, 0.04)
        stage.add(mask & (stage.labels == 0), matter)
    return stage.rung()


def debris(rng: np.random.Generator, count: float) -> Rung:
    """No body, but so many specks and heaps."""
    stage = Stage(rng)
    stage.scattered += specks(rng, SIDE, int(count), float(rng.uniform(3, 9))) * rng.uniform(0.3, 1.5)
    stage.gradient = float(rng.uniform(0, 0.2))
    return stage.rung()


def printed(rng: np.random.Generator, size: float) -> Rung:
    """A body, and a scale bar with its text, as large as this share of the field."""
    rung = one_body(rng, float(rng.uniform(0.03, 0.1))).rung()
    level = float(rng.choice([rung.pixels.max(), 0]))
    pixels = rung.pixels.astype(np.float32)
    wide, high = int(size * SIDE), max(2, int(size * SIDE / 18))
    x, y = int(rng.uniform(0.02, 0.95 - size) * SIDE), int(rng.choice([0.07, 0.97]) * SIDE) - high
    cv2.rectangle(pixels, (x, y), (x + wide, y + high), level, -1)
    cv2.putText(pixels, "250 um", (x, y - 5), cv2.FONT_HERSHEY_PLAIN, 3 * size + 0.5, level, 1)
    written = pixels.astype(rung.pixels.dtype)
    return Rung(written, np.where(written == rung.pixels, rung.labels, 0).astype(np.int32))
