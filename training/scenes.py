"""Training scenes: the sample generator's shapes and light, with far wilder looks, crowding and clutter.

The demo's generator draws what is typical; a network that is to hold on images of other labs has to have seen
what is not: bodies paler than the background, fields that are mostly body, rims that dissolve, empty fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.synthetic import BodySpec, Modality, SceneSpec, brightfield, camera, fluorescence
from core.synthetic.noise import smooth
from core.synthetic.shapes import Shape, label_image, place
from training import artefacts

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

# share of scenes of each kind; diameters below are shares of the field's side
KINDS = {"single": 0.27, "few": 0.2, "dense": 0.23, "loose": 0.08, "fluorescence": 0.16, "empty": 0.06}


@dataclass(frozen=True, slots=True)
class Look:
    """How bodies of one scene stop light; optical densities, negative is brighter than the background.

    ``core``: added in the middle. ``cells``: contrast of single cells. ``rim`` and ``halo``: heights of the
    ridges at and around the outline, ``rim_px`` and ``halo_px`` their widths.
    """

    body: float
    core: float
    cells: float
    rim: float
    rim_px: float
    halo: float
    halo_px: float
    flat: bool


def draw(rng: np.random.Generator, size: int) -> tuple[Floats, Labels]:
    """One scene: pixels float32 (size, size) in a camera's counts, labels int32."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    bodies = _bodies(rng, kind, size)
    shapes = [place(rng, body, (size, size)) for body in bodies]
    labels = label_image((size, size), shapes)
    spec = SceneSpec(
        bodies,
        (size, size),
        modality=Modality.FLUORESCENCE if kind == "fluorescence" else Modality.BRIGHTFIELD,
        loose_cells=int(rng.integers(100, 400) if kind == "loose" else rng.exponential(20)),
        specks=int(rng.exponential(25)),
        well_wall=bool(rng.random() < 0.12),
        bits=int(rng.choice([8, 12])),
    )
    light = _glowing(rng, spec, shapes) if kind == "fluorescence" else _shining(rng, spec, shapes, labels)
    light = camera.blur(light, float(rng.exponential(0.7)) if rng.random() < 0.9 else rng.uniform(2, 4))
    pixels = camera.expose(rng, light, spec.modality, spec.bits).astype(np.float32)
    if rng.random() < 0.12:
        artefacts.burnt_in(rng, pixels)
    return pixels, labels


def look(rng: np.random.Generator) -> Look:
    """Draw how the bodies of one scene look: two in three dark, the others known by texture and rim."""
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


def _bodies(rng: np.random.Generator, kind: str, size: int) -> tuple[BodySpec, ...]:
    if kind == "empty":
        return ()
    style = {"irregularity": abs(rng.normal(0, 0.055)), "cell_px": rng.uniform(2, 8)}
    if kind == "loose":
        style["irregularity"] += 0.06
    if kind in ("single", "loose") or (kind == "fluorescence" and rng.random() < 0.6):
        diameters = rng.uniform(0.17, 1.05, 1 if rng.random() < 0.8 else 2)
    elif kind == "dense":
        typical = np.exp(rng.uniform(np.log(0.05), np.log(0.3)))
        diameters = typical * rng.lognormal(0, rng.uniform(0.05, 0.4), int(min(220, 0.75 / typical**2 + 2)))
    else:
        diameters = np.exp(rng.uniform(np.log(0.06), np.log(0.4), rng.integers(2, 14)))
    return _packed(rng, np.minimum(diameters, 1.1) * size, size, style)


def _packed(
    rng: np.random.Generator, diameters: NDArray[np.float64], size: int, style: dict[str, float]
) -> tuple[BodySpec, ...]:
    """Lay bodies down from the largest; each may press into its neighbours a little, or is left out."""
    closeness = rng.uniform(0.88, 1.06)
    kept: list[tuple[float, float, float]] = []
    alone = len(diameters) == 1
    for diameter in np.sort(diameters)[::-1]:
        low, high = (0.25, 0.75) if alone or diameter > 0.7 * size else (-0.03, 1.03)
        tries = rng.uniform(low, high, (40, 2)) * size
        placed = np.array(kept).reshape(-1, 3)
        gap = np.hypot(tries[:, None, 0] - placed[:, 0], tries[:, None, 1] - placed[:, 1])
        fits = np.all(gap >= closeness * (placed[:, 2] + diameter) / 2, axis=1)
        if fits.any():
            x, y = tries[np.argmax(fits)]
            kept.append((float(x), float(y), float(diameter)))
    return tuple(BodySpec((x, y), diameter, **style) for x, y, diameter in kept)


def _shining(rng: np.random.Generator, spec: SceneSpec, shapes: list[Shape], labels: Labels) -> Floats:
    """Transmitted light through bodies of one random look, clutter and all."""
    field = brightfield.illumination(rng, spec)
    density = np.zeros(spec.shape, np.float32)
    brightfield.debris(rng, spec, density)
    density *= rng.uniform(0.3, 1.2)
    artefacts.clutter(rng, density, 1.6 if not shapes else 1.0)
    if rng.random() < 0.3:
        artefacts.corona(rng, density, labels)
    common = look(rng)
    mixed = rng.random() < 0.2
    for shape in shapes:
        patch = density[shape.box]
        if rng.random() < 0.7:  # what lies below a thick body does not show
            patch *= shape.edge > 0
        patch += absorb(rng, shape, look(rng) if mixed else common)
    field *= np.exp(-density)
    if rng.random() < 0.12:
        artefacts.dark_corners(rng, field)
    return np.clip(field, 0, 1.6).astype(np.float32)


def absorb(rng: np.random.Generator, shape: Shape, style: Look) -> Floats:
    """Optical density of one body over its window (Y, X)."""
    window = (shape.depth.shape[0], shape.depth.shape[1])
    inside = (shape.edge < 0).astype(np.float32)
    thickness = inside if style.flat else np.sqrt(shape.depth * (2 - shape.depth))
    cells = smooth(rng, window, shape.spec.cell_px) + 0.7 * smooth(rng, window, shape.spec.cell_px / 2)
    jitter = rng.uniform(0.75, 1.25)
    patches = smooth(rng, window, 2 + 0.25 * shape.spec.diameter_px)
    density = thickness * style.body * jitter * (1 + 0.25 * patches) + style.cells * cells * inside
    density += style.core * np.exp(-(((1 - shape.depth) / rng.uniform(0.3, 0.7)) ** 2)) * inside
    grain = np.clip(1 + 0.5 * smooth(rng, window, shape.spec.cell_px), 0, 3)
    density += style.rim * grain * np.exp(-(((shape.edge + style.rim_px) / style.rim_px) ** 2))
    density -= style.halo * grain * np.exp(-(((shape.edge - 0.8 * style.halo_px) / style.halo_px) ** 2))
    patch: Floats = density.astype(np.float32)
    return patch


def _glowing(rng: np.random.Generator, spec: SceneSpec, shapes: list[Shape]) -> Floats:
    """Emitted light, from dim and grainy to saturated."""
    light = fluorescence.light(rng, spec, shapes) * rng.uniform(0.1, 2.5)
    light += rng.uniform(0, 0.15) * (1 + 0.5 * smooth(rng, spec.shape, spec.shape[0] / 3))
    return np.clip(light, 0, 1.4).astype(np.float32)
