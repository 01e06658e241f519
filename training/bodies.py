"""Where the bodies of a training scene lie, how large they are, and how they stop light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic import BodySpec
from core.demo.synthetic.noise import smooth
from core.demo.synthetic.shapes import Shape

Floats = NDArray[np.float32]
_ALONE = ("single", "loose", "invasive")
# range of the diameter of bodies that are alone, as shares of the field
_RANGES = {"invasive": (0.1, 0.9), "invasive fluorescence": (0.1, 0.9), "loose": (0.06, 0.7)}
_LONE = (0.08, 1.05)


@dataclass(frozen=True, slots=True)
class Look:
    """How bodies of one scene stop light; optical densities, negative is brighter than the background.

    ``core``: added in the middle. ``cells``: contrast of single cells. ``rim`` and ``halo``: heights of the
    ridges at and around the outline, ``rim_px`` and ``halo_px`` their widths. ``shell``: share of the radius
    that a paler shell with a sharp edge takes; 0 where there is none and the core fades.
    """

    body: float
    core: float
    cells: float
    rim: float
    rim_px: float
    halo: float
    halo_px: float
    flat: bool
    shell: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """What to draw: ``numbers[n]`` is the body that spec n - 1 is a part of; ``numbers[0]`` is 0."""

    specs: tuple[BodySpec, ...]
    numbers: NDArray[np.int32]


def lay_out(rng: np.random.Generator, kind: str, size: int) -> Layout:
    """Choose the bodies of one scene of ``size`` pixels a side; diameters are shares of it."""
    if kind == "empty":
        return Layout((), np.zeros(1, np.int32))
    style = {"irregularity": abs(rng.normal(0, 0.055)), "cell_px": rng.uniform(2, 8)}
    if kind in ("loose", "invasive"):
        style["irregularity"] += 0.05
    if kind.endswith("fluorescence"):  # from evenly bright to a glowing shell around a black core
        style["necrosis"] = rng.uniform(0, 1)
    diameters = np.minimum(_diameters(rng, kind), 1.1) * size
    specs = _packed(rng, diameters, size, style, 0.7 if kind == "budding" else 1.0)
    own = np.arange(len(specs) + 1, dtype=np.int32)
    if kind != "budding":
        return Layout(specs, own)
    lobes = [(body, number) for number, body in enumerate(specs, start=1) for _ in range(rng.integers(0, 6))]
    buds = tuple(_bud(rng, body) for body, _ in lobes)
    return Layout(specs + buds, np.concatenate([own, [number for _, number in lobes]]).astype(np.int32))


def look(rng: np.random.Generator) -> Look:
    """Draw how the bodies of one scene look: most dark, others known by texture and rim, some thin-walled."""
    unusual = rng.random()
    if unusual < 0.1:
        return _cyst(rng)
    if unusual < 0.18:
        return _shelled(rng)
    dark = rng.random() < 0.65
    return Look(
        body=rng.uniform(0.25, 2.5) if dark else rng.uniform(-0.35, 0.3),
        core=rng.uniform(-0.2, 1.0) if rng.random() < 0.5 else 0.0,
        cells=rng.uniform(0.01, 0.35) if dark else rng.uniform(0.08, 0.45),
        rim=rng.uniform(-0.2, 0.8) if dark else rng.uniform(0.3, 1.6) * rng.choice([1, 1, -0.4]),
        rim_px=rng.uniform(1.0, 4.0),
        halo=rng.uniform(0, 0.35) * rng.choice([1, 1, 1, -0.5]),
        halo_px=rng.uniform(1.5, 5.0),
        flat=bool(rng.random() < 0.4),
    )


def absorb(rng: np.random.Generator, shape: Shape, style: Look) -> Floats:
    """Optical density of one body over its window (Y, X)."""
    window = (shape.depth.shape[0], shape.depth.shape[1])
    inside = (shape.edge < 0).astype(np.float32)
    thickness = inside if style.flat else np.sqrt(shape.depth * (2 - shape.depth))
    cells = smooth(rng, window, shape.spec.cell_px) + 0.7 * smooth(rng, window, shape.spec.cell_px / 2)
    jitter = rng.uniform(0.75, 1.25)
    patches = smooth(rng, window, 2 + 0.25 * shape.spec.diameter_px)
    density = thickness * style.body * jitter * (1 + 0.25 * patches) + style.cells * cells * inside
    density += style.core * _core(rng, shape, style) * inside
    grain = np.clip(1 + 0.5 * smooth(rng, window, shape.spec.cell_px), 0, 3)
    density += style.rim * grain * np.exp(-(((shape.edge + style.rim_px) / style.rim_px) ** 2))
    density -= style.halo * grain * np.exp(-(((shape.edge - 0.8 * style.halo_px) / style.halo_px) ** 2))
    patch: Floats = density.astype(np.float32)
    return patch


def _core(rng: np.random.Generator, shape: Shape, style: Look) -> Floats:
    """How much of the core there is, 0..1: it fades from the middle, or ends where the shell begins."""
    if not style.shell:
        return np.asarray(np.exp(-(((1 - shape.depth) / rng.uniform(0.3, 0.7)) ** 2)), dtype=np.float32)
    window = (shape.depth.shape[0], shape.depth.shape[1])
    waves = 0.1 * style.shell * smooth(rng, window, 2 + 0.2 * shape.spec.diameter_px)
    steep = np.clip((shape.depth + waves - style.shell) / rng.uniform(0.01, 0.08), -30, 30)
    return np.asarray(1 / (1 + np.exp(-steep)), dtype=np.float32)


def _shelled(rng: np.random.Generator) -> Look:
    """A dark core in a pale shell, whose own edge is sharp: both are body."""
    return Look(
        body=rng.uniform(0.08, 0.5),
        core=rng.uniform(0.5, 2.0),
        cells=rng.uniform(0.02, 0.2),
        rim=rng.uniform(0.05, 0.6),
        rim_px=rng.uniform(0.8, 2.5),
        halo=rng.uniform(0, 0.25),
        halo_px=rng.uniform(1.0, 4.0),
        flat=True,
        shell=rng.uniform(0.15, 0.55),
    )


def _cyst(rng: np.random.Generator) -> Look:
    """A thin wall around a lumen that is as bright as the medium."""
    return Look(
        body=rng.uniform(-0.05, 0.08),
        core=0.0,
        cells=rng.uniform(0.0, 0.04),
        rim=rng.uniform(0.2, 1.2),
        rim_px=rng.uniform(0.8, 2.5),
        halo=rng.uniform(0, 0.2),
        halo_px=rng.uniform(1.0, 3.0),
        flat=True,
    )


def _diameters(rng: np.random.Generator, kind: str) -> NDArray[np.float64]:
    if kind in _ALONE or (kind.endswith("fluorescence") and rng.random() < 0.6):
        return rng.uniform(*_RANGES.get(kind, _LONE), 1 if rng.random() < 0.8 else 2)
    if kind == "well":
        if rng.random() < 0.25:  # no larger than debris, but alone in a well
            return rng.uniform(0.015, 0.05, 1)
        return rng.uniform(0.02, 0.22 if rng.random() < 0.6 else 0.45, 1 if rng.random() < 0.75 else 3)
    if kind == "dense":
        typical = np.exp(rng.uniform(np.log(0.04), np.log(0.3)))
        return typical * rng.lognormal(0, rng.uniform(0.05, 0.4), int(min(220, 0.75 / typical**2 + 2)))
    return np.exp(rng.uniform(np.log(0.06), np.log(0.4), rng.integers(2, 14)))


def _packed(
    rng: np.random.Generator,
    diameters: NDArray[np.float64],
    size: int,
    style: dict[str, float],
    closest: float,
) -> tuple[BodySpec, ...]:
    """Lay bodies down from the largest; each may press into its neighbours a little, or is left out.

    ``closest``: 1 lets them touch; below it they keep room for what grows out of them.
    """
    closeness = rng.uniform(0.88, 1.06) / closest
    bodies: list[tuple[float, float, float]] = []
    alone = len(diameters) == 1
    for diameter in np.sort(diameters)[::-1]:
        low, high = (0.25, 0.75) if alone or diameter > 0.7 * size else (-0.03, 1.03)
        tries = rng.uniform(low, high, (40, 2)) * size
        placed = np.array(bodies).reshape(-1, 3)
        gap = np.hypot(tries[:, None, 0] - placed[:, 0], tries[:, None, 1] - placed[:, 1])
        fits = np.all(gap >= closeness * (placed[:, 2] + diameter) / 2, axis=1)
        if fits.any():
            x, y = tries[np.argmax(fits)]
            bodies.append((float(x), float(y), float(diameter)))
    return tuple(BodySpec((x, y), diameter, **style) for x, y, diameter in bodies)


def _bud(rng: np.random.Generator, body: BodySpec) -> BodySpec:
    """A lobe that grows out of a body's rim."""
    turn = rng.uniform(0, 2 * np.pi)
    away = body.diameter_px / 2 * rng.uniform(0.7, 1.0)
    center = (body.center[0] + away * np.cos(turn), body.center[1] + away * np.sin(turn))
    diameter = body.diameter_px * rng.uniform(0.25, 0.6)
    return BodySpec(center, diameter, irregularity=body.irregularity, cell_px=body.cell_px)
