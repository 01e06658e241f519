"""The engines that can be chosen, by name or by key; networks are loaded on first use.

An engine's key says exactly what predicts: the SHA-256 of its weights, or name and version of one without
weights. A name stands for the first engine that was added under it, so that further weights of the same
network can be added and used by their key.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InvalidRequest
from core.segmentation.engines import classical, unet
from core.segmentation.engines.arithmetic import Arithmetic
from core.segmentation.engines.base import Engine, Prediction
from core.segmentation.engines.weights import SHIPPED, load, read_pin
from core.segmentation.grayscale import Pixels
from core.segmentation.params import SegmentationParams

if TYPE_CHECKING:
    from core.segmentation.engines.unet_model import UNet

UNET, CLASSICAL = "unet", "classical"
ENGINE_NAMES = (UNET, CLASSICAL)
DEFAULT_ENGINE = UNET  # chosen by docs/accuracy.md
NETWORKS_BYTES = 64 * 2**20  # the shipped network has 5 MB


class EngineRegistry:
    """Engines that compute with one arithmetic. Safe from any thread.

    ``networks_bytes`` bounds the networks in memory; the least recently used go first, the one in use stays.
    """

    def __init__(self, arithmetic: Arithmetic | None = None, networks_bytes: int = NETWORKS_BYTES) -> None:
        self.arithmetic = arithmetic or Arithmetic()
        self._networks_bytes = networks_bytes
        self._engines: dict[str, Engine] = {}  # by key
        self._keys: dict[str, str] = {}  # by name
        self._networks: OrderedDict[str, UNet] = OrderedDict()
        self._uses_bfloat16: dict[str, bool] = {}  # whether bfloat16 is used, by key: tried once
        self._lock = threading.Lock()

    @classmethod
    def shipped(cls, arithmetic: Arithmetic | None = None) -> EngineRegistry:
        """The engines that come with the program.

        Raises:
            SegmentationError: what names the shipped weights cannot be read.
        """
        registry = cls(arithmetic)
        registry.add_weights(UNET, SHIPPED)
        registry.add(
            Engine(CLASSICAL, f"{CLASSICAL}-{classical.VERSION}", classical.VERSION, classical.predict)
        )
        return registry

    @property
    def names(self) -> tuple[str, ...]:
        """Names to choose from, the default first."""
        return tuple(self._keys)

    @property
    def keys(self) -> dict[str, str]:
        """The key that each name stands for."""
        return dict(self._keys)

    def get(self, name_or_key: str) -> Engine:
        """Return an engine.

        Raises:
            InvalidRequest: there is none of this name or key.
        """
        key = self._keys.get(name_or_key, name_or_key)
        if key not in self._engines:
            raise InvalidRequest(f"There is no engine {name_or_key!r}; there are {', '.join(self.names)}.")
        return self._engines[key]

    def weights_sha256(self, name: str, version: str) -> str | None:
        """SHA-256 of the weights of an engine of this name and version; None without weights or engine."""
        matching = (item for item in self._engines.values() if (item.name, item.version) == (name, version))
        return next((item.key for item in matching if item.has_weights), None)

    def add(self, engine: Engine) -> None:
        """Add an engine under its key, and under its name if that stands for none yet."""
        self._engines[engine.key] = engine
        self._keys.setdefault(engine.name, engine.key)

    def add_weights(self, name: str, file: Path) -> Engine:
        """Add the U-Net with a weights file, which is named by the JSON beside it and not read yet.

        Raises:
            SegmentationError: there is no such JSON.
        """
        sha256 = str(read_pin(file)["sha256"])
        predict = partial(self._predict, file, sha256)
        engine = Engine(name, sha256, unet.version_of(sha256), predict, has_weights=True)
        self.add(engine)
        return engine

    def _predict(self, file: Path, sha256: str, grey: Pixels, params: SegmentationParams) -> Prediction:
        import torch  # noqa: PLC0415 - by workers, never by a page that only wants the names

        network = self._network(file, sha256)
        if torch.get_num_threads() != self.arithmetic.threads:  # each thread has a count of its own
            torch.set_num_threads(self.arithmetic.threads)
        return unet.predict_with(network, grey, params)

    def _network(self, file: Path, sha256: str) -> UNet:
        with self._lock:
            if sha256 not in self._networks:
                self._networks[sha256] = self._load(file, sha256)
            self._networks.move_to_end(sha256)
            while len(self._networks) > 1 and _bytes_of(*self._networks.values()) > self._networks_bytes:
                self._networks.popitem(last=False)
            return self._networks[sha256]

    def _load(self, file: Path, sha256: str) -> UNet:
        from core.segmentation.engines.precision import bfloat16_pays, to_bfloat16  # noqa: PLC0415 - imports torch

        network, precision = load(file), self.arithmetic.precision
        if sha256 not in self._uses_bfloat16:
            self._uses_bfloat16[sha256] = precision == "bfloat16" or (
                precision == "auto" and bfloat16_pays(network)
            )
        return to_bfloat16(network) if self._uses_bfloat16[sha256] else network


def _bytes_of(*networks: UNet) -> int:
    return sum(item.nbytes for network in networks for item in network.parameters())
