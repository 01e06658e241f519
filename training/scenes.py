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
from training import artefacts, bodies, rims, surroundings, wells

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

# share of scenes of each kind
KINDS = {
    "single": 0.19,
    "few": 0.11,
    "dense": 0.14,
    "budding": 0.07,
    "loose": 0.07,
    "invasive": 0.08,
    "well": 0.1,
    "fluorescence": 0.09,
    "invasive fluorescence": 0.07,
    "empty": 0.08,
}
GLOWING = ("fluorescence", "invasive fluorescence")
LOOSE, LOOSE_EMPTY = 20, 60  # loose cells in a field on average, and in one without bodies
# Of scenes in transmitted light that have dark bodies.
HALO, CORONA, MENISCUS, SOFT = 0.5, 0.15, 0.06, 0.25
SOFT_FROM = 0.5  # optical density; a pale body far out of focus is a ghost, which nobody outlines


@dataclass(frozen=True, slots=True)
class Drawn:
    """One scene: pixels float32 (Y, X) in a camera's counts, labels int32 (Y, X), 0 is background.

    ``core``: bool (Y, X), the dense bodies; labels also hold the halos around them and the loose rims that
    grow out of them. ``polarity``: of the bodies, "dark" or "bright".
    """

    pixels: Floats
    labels: Labels
    core: NDArray[np.bool_]
    polarity: str


def draw(rng: np.random.Generator, size: int) -> Drawn:
    """One square scene of ``size`` pixels a side."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    layout = bodies.lay_out(rng, kind, size)
    shapes = [place(rng, body, (size, size)) for body in layout.specs]
    dense = layout.numbers[label_image((size, size), shapes)]
    rim = rims.grow(rng, dense) if kind.startswith("invasive") and dense.any() else None
    glows = kind in GLOWING
    spec = SceneSpec(
        layout.specs,
        (size, size),
        modality=Modality.FLUORESCENCE if glows else Modality.BRIGHTFIELD,
        loose_cells=int(
            rng.integers(50, 400) if kind == "loose" else rng.exponential(LOOSE if shapes else LOOSE_EMPTY)
        ),
        specks=int(rng.exponential(25)),
        well_wall=bool(rng.random() < 0.1),
        bits=int(rng.choice([8, 12])),
    )
    if glows:
        light, polarity, soft = _glowing(rng, spec, shapes, rim), "bright", 0.0
        labels = dense if rim is None else rim.labels
    else:
        absorbed = _absorbed(rng, spec, shapes, dense)
        light, labels = _shining(rng, spec, absorbed, rim, kind == "well")
        polarity = "dark" if absorbed.is_dark else "bright"
        is_soft = absorbed.optical > SOFT_FROM and rng.random() < SOFT
        soft = surroundings.out_of_focus(rng, dense) if is_soft else 0.0
    if not soft:
        soft = float(rng.exponential(0.7)) if rng.random() < 0.9 else rng.uniform(2, 4)
    pixels = camera.expose(rng, camera.blur(light, soft), spec.modality, spec.bits).astype(np.float32)
    if rng.random() < 0.12:
        artefacts.burnt_in(rng, pixels)
    return Drawn(pixels, labels, dense > 0, polarity)


@dataclass(frozen=True, slots=True)
class _Absorbed:
    """What bodies alone do to light: their optical density (Y, X), its mean on them, and their labels.

    ``hidden``: bool (Y, X), where nothing that lies below a body shows.
    """

    density: Floats
    optical: float
    is_dark: bool
    labels: Labels
    hidden: NDArray[np.bool_]
    look: bodies.Look


def _absorbed(rng: np.random.Generator, spec: SceneSpec, shapes: list[Shape], labels: Labels) -> _Absorbed:
    """Bodies of one random look, or each of its own."""
    density, hidden = np.zeros(spec.shape, np.float32), np.zeros(spec.shape, np.bool_)
    common = bodies.look(rng)
    mixed = rng.random() < 0.2
    for shape in shapes:
        patch = density[shape.box]
        if rng.random() < 0.7:  # what lies below a thick body does not show
            patch *= shape.edge > 0
            hidden[shape.box] |= shape.edge <= 0
        patch += bodies.absorb(rng, shape, bodies.look(rng) if mixed else common)
    optical = float(density[labels > 0].mean()) if labels.any() else 0.0
    return _Absorbed(density, optical, surroundings.is_dark(density, labels), labels, hidden, common)


def _shining(
    rng: np.random.Generator, spec: SceneSpec, absorbed: _Absorbed, rim: rims.Rim | None, in_wells: bool
) -> tuple[Floats, Labels]:
    """Transmitted light through bodies and what lies around them; labels of bodies with halos and rims."""
    field = brightfield.illumination(rng, spec)
    density = np.zeros(spec.shape, np.float32)
    brightfield.debris(rng, spec, density)
    density *= rng.uniform(0.3, 1.2)
    artefacts.clutter(rng, density, 1.0 if spec.bodies else 1.6)
    labels = whole = absorbed.labels
    if rng.random() < 0.3:
        artefacts.corona(rng, density, labels)
    if in_wells:
        wells.draw(rng, density, labels, spec.bodies)
    if rim is not None:
        density += rim.cells * rng.uniform(0.3, 1.0) * max(0.25, abs(absorbed.look.body))
        whole = rim.labels
    elif absorbed.is_dark and rng.random() < HALO:
        whole = surroundings.halo(rng, density, labels, absorbed.optical)
    if rng.random() < MENISCUS:
        surroundings.meniscus(rng, density, labels)
    density[absorbed.hidden] = 0
    field *= artefacts.seen_through(rng, density + absorbed.density)
    if rng.random() < CORONA:
        surroundings.corona(rng, field, labels)
    if rng.random() < 0.16:
        artefacts.dark_corners(rng, field)
    return np.clip(field, 0, 1.6).astype(np.float32), whole


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
