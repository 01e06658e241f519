"""Microscope scenes drawn from a seed, with the exact label image: for the demo plate, tests and training.

The same generator state and spec give the same bytes on one machine. No module here keeps state.
"""

from __future__ import annotations

import numpy as np

from core.demo.synthetic import brightfield, camera, fluorescence
from core.demo.synthetic.shapes import label_image, place
from core.demo.synthetic.spec import Modality, Scene, SceneSpec

LIGHT = {Modality.BRIGHTFIELD: brightfield.light, Modality.FLUORESCENCE: fluorescence.light}


def scene(rng: np.random.Generator, spec: SceneSpec) -> Scene:
    """Draw one field of view: pixels uint8 or uint16 (Y, X) and labels int32 (Y, X)."""
    shapes = [place(rng, body, spec.shape) for body in spec.bodies]
    light = LIGHT[spec.modality](rng, spec, shapes)
    pixels = camera.expose(rng, camera.blur(light, spec.defocus_px), spec.modality, spec.bits)
    return Scene(pixels, label_image(spec.shape, shapes), spec.um_per_px)
