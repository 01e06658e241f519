"""What lies around bodies and hides where they end: halos of loose matter, bright coronas, menisci."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.noise import smooth
from training.rims import nearest

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

DENSE = 0.4  # optical density from which a body has a halo that can be told from it
LARGE = 0.1  # and its diameter as a share of the field
SHARE = (0.25, 0.95)  # density of a halo as a share of the body's
MAX_DENSITY = 2.0  # denser bodies are all black, and a halo of half of their density would be, too


def diameters(labels: Labels) -> Floats:
    """Equivalent diameter in pixels of each object by its number, 0 for the background."""
    areas = np.bincount(labels.ravel()).astype(np.float32)
    areas[0] = 0
    return np.asarray(np.sqrt(areas * np.float32(4 / np.pi)), dtype=np.float32)


def halo(rng: np.random.Generator, density: Floats, labels: Labels, optical: float) -> Labels:
    """Add grainy matter around bodies, nearly as dense as they are, that fades, in place.

    Args:
        density: optical density (Y, X).
        labels: the dense bodies, which the halo is added around.
        optical: density of the bodies.

    Returns:
        labels int32 (Y, X) of the bodies with their halos, to where a halo has faded to half.
    """
    sizes = diameters(labels)
    if optical < DENSE or sizes.max() < LARGE * density.shape[0] or labels.all():
        return labels
    away, number = nearest(labels)
    shape = (density.shape[0], density.shape[1])
    waves = np.clip(1 + rng.uniform(0, 0.5) * smooth(rng, shape, rng.uniform(10, 60)), 0.3, 2)
    reach = rng.uniform(0.1, 0.75) * sizes[number] / 2 * waves + 1
    fading = np.exp(-((away / reach) ** rng.uniform(1, 8)))
    grain = np.clip(1 + rng.uniform(0.1, 0.6) * smooth(rng, shape, rng.uniform(1.5, 6)), 0.1, 2)
    share = rng.uniform(*SHARE) * min(optical, MAX_DENSITY)
    density += np.asarray(share * fading * grain * (labels == 0), dtype=np.float32)
    return np.where((labels == 0) & (fading > 0.5), number, labels).astype(np.int32)


def corona(rng: np.random.Generator, light: Floats, labels: Labels) -> None:
    """Add bright grain around bodies that fades over up to half of the field, in place, to light (Y, X)."""
    if not labels.any() or labels.all():
        return
    away, _ = nearest(labels)
    shape = (light.shape[0], light.shape[1])
    reach = rng.uniform(0.05, 0.5) * shape[0]
    grain = np.clip(1 + rng.uniform(0.3, 1.2) * smooth(rng, shape, rng.uniform(1.5, 7)), 0, 3.5)
    spread = float(np.ptp(np.percentile(light[::4, ::4], [1, 99]))) + 0.05
    light *= rng.uniform(0.4, 1.0)  # room for what is brighter than the field
    light += np.asarray(
        rng.uniform(0.2, 1.2) * spread * np.exp(-away / reach) * grain * (labels == 0), dtype=np.float32
    )


def meniscus(rng: np.random.Generator, density: Floats, labels: Labels) -> None:
    """Add the dark rim of a liquid that comes in from one side and reaches a body, in place."""
    sizes = diameters(labels)
    if not sizes.any():
        return
    rows, columns = np.nonzero(labels == int(sizes.argmax()))
    turn, size = rng.uniform(0, 2 * np.pi), density.shape[0]
    way = np.array([np.cos(turn), np.sin(turn)])
    middle = np.array([columns.mean(), rows.mean()])
    touch = middle + way * sizes.max() / 2 * rng.uniform(0.6, 1.05)
    radius = rng.uniform(0.4, 2.5) * size
    centre = touch - way * radius  # of the circle along whose inside the rim runs
    y, x = np.mgrid[:size, :size].astype(np.float32)
    away = np.hypot(x - centre[0], y - centre[1]) - radius
    wide, soft = rng.uniform(0.02, 0.25) * size, rng.uniform(0.005, 0.06) * size
    rim = 1 / (1 + np.exp(-np.clip(away / soft, -30, 30)))
    if rng.random() < 0.6:  # a band; else everything beyond is dark
        rim = rim / (1 + np.exp(np.clip((away - wide) / (2 * soft), -30, 30)))
    density += np.asarray(rng.uniform(0.4, 2.0) * rim * (labels == 0), dtype=np.float32)


def out_of_focus(rng: np.random.Generator, labels: Labels) -> float:
    """A blur's sigma in pixels, in proportion to the bodies, so weak that no small one is lost."""
    sizes = diameters(labels)
    seen = sizes[sizes > 0]
    if not len(seen):
        return 0.0
    share = float(np.exp(rng.uniform(np.log(0.006), np.log(0.09))))
    return float(min(share * seen.max(), 0.1 * seen.min()))


def is_dark(density: Floats, labels: Labels) -> bool:
    """Whether bodies differ from what is around them more towards dark; ``density``: of the bodies alone."""
    own = density[labels > 0]
    return bool(np.square(np.maximum(own, 0)).sum() >= np.square(np.minimum(own, 0)).sum())
