"""Synthetic microscope scenes with their exact label images, drawn from a seed.

The same generator state and specification give the same bytes on one machine. No module here keeps state.
"""

from __future__ import annotations

from core.demo.synthetic.scene import scene
from core.demo.synthetic.spec import BodySpec, Modality, Scene, SceneSpec

__all__ = ["BodySpec", "Modality", "Scene", "SceneSpec", "scene"]
