"""Training scenes: the sample generator's shapes and light, with far wilder looks, crowding and clutter.

The demo's generator draws what is typical; a network that is to hold on images of other labs has to have seen
what is not: bodies paler than the background, fields that are mostly body, rims that dissolve, empty fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic import Modality, SceneSpec, brightfield, camera, fluorescence
from core.demo.synthetic.noise import smooth
from core.demo.synthetic.shapes import Shape, label_image, place
from training import artefacts, bodies, rims

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

# share of scenes of each kind
KINDS = {
    "single": 0.22,
    "few": 0.14,
    "dense": 0.19,
    "budding": 0.08,
    "loose": 0.06,
    "invasive": 0.09,
    "fluorescence": 0.1,
    "invasive fluorescence": 0.07,
    "empty": 0.05,
}
GLOWING = ("fluorescence", "invasive fluorescence")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One scene: pixels float32 (Y, X) in a camera's counts, labels int32 (Y, X), 0 is background.

    ``core``: bool (Y, X), the dense bodies; labels also hold the loose rims that grow out of them.
    """

    pixels: Floats
    labels: Labels
    core: NDArray[np.bool_]


def draw(rng: np.random.Generator, size: int) -> Drawn:
    """One square scene of ``size`` pixels a side."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    layout = bodies.lay_out(rng, kind, size)
    shapes = [place(rng, body, (size, size)) for body in layout.specs]
    dense = layout.numbers[label_image((size, size), shapes)]
    rim = rims.grow(rng, dense) if kind.startswith("invasive") and dense.any() else None
    spec = SceneSpec(
        layout.specs,
        (size, size),
        modality=Modality.FLUORESCENCE if kind in GLOWING else Modality.BRIGHTFIELD,
        loose_cells=int(rng.integers(100, 400) if kind == "loose" else rng.exponential(20)),
        specks=int(rng.exponential(25)),
        well_wall=bool(rng.random() < 0.1),
        bits=int(rng.choice([8, 12])),
    )
    glows = kind in GLOWING
    light = _glowing(rng, spec, shapes, rim) if glows else _shining(rng, spec, shapes, dense, rim)
    light = camera.blur(light, float(rng.exponential(0.7)) if rng.random() < 0.9 else rng.uniform(2, 4))
    pixels = camera.expose(rng, light, spec.modality, spec.bits).astype(np.float32)
    if rng.random() < 0.12:
        artefacts.burnt_in(rng, pixels)
    return Drawn(pixels, dense if rim is None else rim.labels, dense > 0)


def _shining(
    rng: np.random.Generator, spec: SceneSpec, shapes: list[Shape], labels: Labels, rim: rims.Rim | None
) -> Floats:
    """Transmitted light through bodies of one random look, clutter and all."""
    field = brightfield.illumination(rng, spec)
    density = np.zeros(spec.shape, np.float32)
    brightfield.debris(rng, spec, density)
    density *= rng.uniform(0.3, 1.2)
    artefacts.clutter(rng, density, 1.6 if not shapes else 1.0)
    if rng.random() < 0.3:
        artefacts.corona(rng, density, labels)
    common = bodies.look(rng)
    mixed = rng.random() < 0.2
    for shape in shapes:
        patch = density[shape.box]
        if rng.random() < 0.7:  # what lies below a thick body does not show
            patch *= shape.edge > 0
        patch += bodies.absorb(rng, shape, bodies.look(rng) if mixed else common)
    if rim is not None:
        density += rim.cells * rng.uniform(0.3, 1.0) * max(0.25, abs(common.body))
    field *= artefacts.seen_through(rng, density)
    if rng.random() < 0.16:
        artefacts.dark_corners(rng, field)
    return np.clip(field, 0, 1.6).astype(np.float32)


def _glowing(rng: np.random.Generator, spec: SceneSpec, shapes: list[Shape], rim: rims.Rim | None) -> Floats:
    """Emitted light, from dim and grainy to saturated."""
    light = fluorescence.light(rng, spec, shapes)
    if rng.random() < 0.35:  # only nuclei are stained, and not all of them
        nuclei = np.maximum(smooth(rng, spec.shape, rng.uniform(2, 6)) - rng.uniform(-0.2, 0.6), 0)
        light *= rng.uniform(0.05, 0.5) + 2 * nuclei
    if rim is not None:
        light += rim.cells * rng.uniform(0.15, 0.8)
    if rng.random() < 0.4:  # programs stretch contrast until bodies saturate
        light *= rng.uniform(2, 12)
    light *= rng.uniform(0.1, 2.5)
    if rng.random() < 0.6:
        light += rng.uniform(0, 0.15) * (1 + 0.5 * smooth(rng, spec.shape, spec.shape[0] / 3))
    return np.clip(light, 0, 1.4).astype(np.float32)
