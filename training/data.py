"""Real images with masks and drawn scenes: read, scaled to a working size, cut into augmented batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.camera import blur
from core.images import open_image
from core.images.formats import SUFFIXES
from core.models import Limits
from core.segmentation import grayscale
from core.segmentation.engines.contrast import views
from core.segmentation.engines.unet import MAX_ENLARGEMENT, normalise
from core.segmentation.outlines.postprocess import largest_parts
from training import scenes
from training.augment import cut, vary
from training.scores import is_foreground
from training.surroundings import out_of_focus
from training.targets import Core, targets

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

LIMITS = Limits()
WORKING = 512  # long side at which the network sees an image
FINEST = 1024  # long side of the largest copy that is kept
# a set is drawn in proportion to its number of images to this power, so that no lab's look dominates
SET_POWER = 0.4
# every second batch shows fields as the network sees them in use, the others a quarter of one
CROP, FIELD = 256, 512
# sets that outlines are judged by: never trained on, and nothing is chosen by them
TEST_SETS = ("organoid_pdac_lung_acc_organoID",)
GLOWING = ("spheroid_invasion_fluo_mungai", "fucci_melanoma_spheroids_browning")  # fluorescence
AUTO = 0.05  # of samples whose polarity is found from the image, as in use, mistakes and all
FEW, SOFT = 3, 0.12  # of real crops with so few dark bodies, this share is put out of focus


@dataclass(frozen=True, slots=True)
class Pair:
    """One image with its mask: where they lie and which set they belong to."""

    set_name: str
    image: Path
    mask: Path

    def read(self) -> tuple[NDArray[np.generic], Labels]:
        """Grey pixels (Y, X) as stored and the label image int32 (Y, X)."""
        return read_grey(self.image), read_labels(self.mask)


def pairs(root: Path, leave_out: Sequence[str] = ()) -> tuple[Pair, ...]:
    """Every image below ``root``/SET/images that has a mask of the same stem below ``root``/SET/masks."""
    every = [pair for folder in sorted(root.iterdir()) for pair in _set_pairs(folder)]
    return tuple(pair for pair in every if pair.set_name not in leave_out)


def training_pairs(root: Path, leave_out: Sequence[str] = ()) -> tuple[Pair, ...]:
    """What may be trained on: ``pairs`` without the sets that outlines are judged by."""
    return pairs(root, (*leave_out, *TEST_SETS))


def read_grey(path: Path) -> NDArray[np.generic]:
    """Grey pixels (Y, X); of several pages of one size the brightest at each place (a fluorescence stack)."""
    with open_image(path, LIMITS) as reader:
        pages = [grayscale.grey(reader.read(plane).pixels) for plane in reader.planes]
    same = [page for page in pages if page.shape == pages[0].shape]
    return np.max(same, axis=0) if len(same) > 1 else pages[0]


def read_labels(path: Path) -> Labels:
    """Label image int32 (Y, X) of a single-channel PNG."""
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2:
        raise ValueError(f"{path.name} is not a single-channel mask.")
    return labels.astype(np.int32)


def _set_pairs(folder: Path) -> Iterator[Pair]:
    if not (folder / "masks").is_dir():
        return
    masks = {path.stem: path for path in (folder / "masks").glob("*.png")}
    for image in sorted((folder / "images").iterdir()):
        if image.suffix.lower() in SUFFIXES and image.stem in masks:
            yield Pair(folder.name, image, masks[image.stem])


@dataclass(frozen=True, slots=True)
class Level:
    """One copy of an image: ``scale`` is its size relative to the working size.

    ``is_dense``: whether the labels end where dense bodies do; a mask of foreground counts loose cells, too.
    """

    scale: float
    image: Floats
    labels: Labels
    is_dense: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """One square image, about -1..1, its labels, what is known of their cores, and their polarity."""

    image: Floats
    labels: Labels
    core: Core
    polarity: str


class RealImages:
    """Images in memory, normalised, each at a few sizes; draws augmented crops from them.

    Raises:
        ValueError: one of them belongs to a set that outlines are judged by.
    """

    def __init__(self, chosen: Sequence[Pair]) -> None:
        if test_sets := {pair.set_name for pair in chosen} & set(TEST_SETS):
            raise ValueError(f"{', '.join(test_sets)} is there to judge by, never to train on.")
        self.polarities = ["bright" if pair.set_name in GLOWING else "dark" for pair in chosen]
        self.levels = [_levels(*pair.read()) for pair in chosen]
        names = [pair.set_name for pair in chosen]
        weight = np.array([names.count(name) ** (SET_POWER - 1) for name in names])
        self.chance = weight / weight.sum()

    def crop(self, rng: np.random.Generator, size: int) -> Sample:
        """An augmented square of ``size`` pixels."""
        pick = int(rng.choice(len(self.levels), p=self.chance))
        levels, polarity = self.levels[pick], self.polarities[pick]
        whole = size >= FIELD
        zoom = np.exp(rng.uniform(-0.35, 0.3)) if whole else np.exp(rng.uniform(np.log(0.45), np.log(1.9)))
        # the smallest copy that need not be enlarged, so that fine structure is averaged, not sampled
        level = next((item for item in levels if item.scale >= zoom), levels[-1])
        center = _whereabouts(rng, level.labels, whole)
        image, labels = cut(rng, level.image, level.labels, size, zoom / level.scale, center)
        if polarity == "dark" and labels.max() <= FEW and rng.random() < SOFT:
            image = blur(image, out_of_focus(rng, labels))
        return Sample(image, labels, labels > 0 if level.is_dense else None, polarity)


class Batches:
    """Batch ``i`` is the same for the same seed, on any machine and after any interruption.

    ``drawn_until``: batches before this one hold drawn scenes only, whatever the share of real crops is after
    it; so trainings that leave different sets out can share their beginning.
    """

    def __init__(
        self,
        real: RealImages | None,
        seed: int,
        steps: int,
        real_share: float = 0.5,
        crop: int = CROP,
        drawn_until: int = 0,
    ) -> None:
        self.real, self.seed, self.steps, self.size = real, seed, steps, crop
        self.real_share, self.drawn_until = real_share, drawn_until

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Floats, Floats]:
        """Images float32 (B, 3, Y, X) and targets float32 (B, 4, Y, X)."""
        rng = np.random.default_rng((self.seed, step))
        size, count = (2 * self.size, 2) if step % 2 else (self.size, 8)
        share = self.real_share if step >= self.drawn_until else 0.0
        made = [self.one(rng, size, share) for _ in range(count)]
        images = np.stack([views(vary(rng, one.image), _polarity(rng, one)) for one in made])
        return images, np.stack([targets(one.labels, one.core) for one in made])

    def one(self, rng: np.random.Generator, size: int, real: float) -> Sample:
        """A real crop, with the chance ``real``, or a drawn scene: a square of ``size`` pixels."""
        if real and self.real is not None and rng.random() < real:
            return self.real.crop(rng, size)
        scene = scenes.draw(rng, size)
        return Sample(normalise(scene.pixels), scene.labels, scene.core, scene.polarity)


def _polarity(rng: np.random.Generator, sample: Sample) -> str:
    return "auto" if rng.random() < AUTO else sample.polarity


def _levels(pixels: NDArray[np.generic], labels: Labels) -> tuple[Level, ...]:
    """Copies of one image, the smallest first: half the working size, that, and up to twice it."""
    native = max(pixels.shape)
    grey = normalise(pixels.astype(np.float32))
    dense = not is_foreground(labels)
    if not dense:
        labels = largest_parts(labels)  # cells that lie alone are nobody's: an object is in one part
    working = min(WORKING, MAX_ENLARGEMENT * native)
    sides = sorted({working / 2, working, float(max(working, min(FINEST, native)))})
    return tuple(Level(side / working, *_resized(grey, labels, side / native), dense) for side in sides)


def _resized(grey: Floats, labels: Labels, factor: float) -> tuple[Floats, Labels]:
    size = (round(grey.shape[1] * factor), round(grey.shape[0] * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(grey, size, interpolation=how), dtype=np.float32)
    wide = cv2.resize(labels.astype(np.float32), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return image, wide.astype(np.int32)


def _whereabouts(rng: np.random.Generator, labels: Labels, whole: bool) -> tuple[float, float]:
    """Middle of a crop (x, y): mostly near a body."""
    height, width = labels.shape
    if whole:
        return width * rng.uniform(0.4, 0.6), height * rng.uniform(0.4, 0.6)
    rows, columns = np.nonzero(labels[::4, ::4])
    if len(rows) and rng.random() < 0.7:
        pick = rng.integers(0, len(rows))
        near = rng.normal(0, 40, 2)
        return float(columns[pick] * 4 + near[0]), float(rows[pick] * 4 + near[1])
    return rng.uniform(0, width), rng.uniform(0, height)
