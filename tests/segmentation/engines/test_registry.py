"""Engines by name and by key: versions follow the weights, networks are loaded late and let go."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidRequest, SegmentationError
from core.segmentation import DEFAULT_ENGINE, ENGINE_NAMES, Arithmetic, EngineRegistry, SegmentationParams
from core.segmentation.engines import classical, registry, unet
from core.segmentation.engines.base import Engine, Prediction
from core.segmentation.engines.weights import SHIPPED, read_pin, save

WIDTHS = (4, 6, 8)
EMPTY = np.zeros((40, 40), np.uint8)


def small_network(file: Path, seed: int) -> Path:
    """Write weights of a tiny network; another seed gives others."""
    import torch  # noqa: PLC0415 - as in the engine itself

    from core.segmentation.engines.unet_model import UNet  # noqa: PLC0415

    torch.manual_seed(seed)
    return save(file, UNet(WIDTHS).eval().fold(), WIDTHS, {})


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the weights files that have been read."""
    names: list[str] = []
    genuine = registry.load

    def noted(file: Path) -> object:
        names.append(file.stem)
        return genuine(file)

    monkeypatch.setattr(registry, "load", noted)
    return names


def test_the_shipped_engines_are_there_the_default_first() -> None:
    engines = EngineRegistry.shipped()
    assert engines.names == ENGINE_NAMES
    assert engines.names[0] == DEFAULT_ENGINE


def test_versions_and_keys_follow_the_weights() -> None:
    engines = EngineRegistry.shipped()
    sha256 = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert engines.get("unet").key == engines.keys["unet"] == sha256
    assert engines.get("unet").version == f"{unet.CODE_VERSION}+{sha256[:8]}" == read_pin()["version"]
    assert engines.get(sha256) is engines.get("unet")
    assert engines.get("classical").version == classical.VERSION
    assert engines.get("classical-2") is engines.get("classical")
    assert engines.weights_sha256("unet", engines.get("unet").version) == sha256
    assert engines.weights_sha256("unet", "0+00000000") is None
    assert engines.weights_sha256("classical", classical.VERSION) is None


def test_a_version_has_the_form_that_stored_results_have() -> None:
    """Those of 0.1 say 1+b04a3e2b: in another form the same weights would make them outdated."""
    assert unet.version_of("b04a3e2b" + 56 * "0") == f"{unet.CODE_VERSION}+b04a3e2b"


@pytest.mark.parametrize("name", ["magic", "", "0" * 64])
def test_an_engine_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(InvalidRequest, match="there are unet, classical"):
        EngineRegistry.shipped().get(name)


@pytest.mark.slow
def test_other_weights_are_used_by_their_key_and_the_name_stays_with_the_first(tmp_path: Path) -> None:
    engines = EngineRegistry.shipped()
    shipped = engines.get("unet")
    own = engines.add_weights("unet", small_network(tmp_path / "own.safetensors", 1))
    assert engines.get("unet") is shipped
    assert engines.get(own.key) is own
    assert own.name == "unet"
    assert own.version == unet.version_of(own.key) != shipped.version
    assert own.predict(EMPTY, SegmentationParams()).inside.shape


def test_weights_without_their_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SegmentationError, match=r"unet\.json"):
        EngineRegistry().add_weights("unet", tmp_path / "unet.safetensors")


@pytest.mark.slow
def test_a_network_is_loaded_when_it_first_predicts_and_once(tmp_path: Path, loaded: list[str]) -> None:
    engines = EngineRegistry()
    engine = engines.add_weights("a", small_network(tmp_path / "a.safetensors", 1))
    assert loaded == []
    for _ in range(2):
        engine.predict(EMPTY, SegmentationParams())
    assert loaded == ["a"]


@pytest.mark.slow
def test_the_least_recently_used_network_goes_first(tmp_path: Path, loaded: list[str]) -> None:
    files = [small_network(tmp_path / f"{name}.safetensors", seed) for seed, name in enumerate("abc")]
    network = registry.load(files[0])
    n_bytes = sum(item.nbytes for item in network.parameters())
    loaded.clear()
    engines = EngineRegistry(networks_bytes=2 * n_bytes)
    a, b, c = (engines.add_weights(file.stem, file) for file in files)
    for engine in (a, b, a, c, a, b):
        engine.predict(EMPTY, SegmentationParams())
    assert loaded == ["a", "b", "c", "b"]


@pytest.mark.slow
def test_one_network_larger_than_the_bound_stays_while_it_is_used(tmp_path: Path, loaded: list[str]) -> None:
    engines = EngineRegistry(networks_bytes=1)
    engine = engines.add_weights("a", small_network(tmp_path / "a.safetensors", 1))
    for _ in range(2):
        engine.predict(EMPTY, SegmentationParams())
    assert loaded == ["a"]


@pytest.mark.slow
def test_the_precision_is_tried_once_for_each_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    monkeypatch.setattr(
        "core.segmentation.engines.precision.bfloat16_pays", lambda network: bool(tried.append(1))
    )
    engines = EngineRegistry(Arithmetic(precision="auto"), networks_bytes=1)
    a, b = (
        engines.add_weights(name, small_network(tmp_path / f"{name}.safetensors", seed))
        for seed, name in enumerate("ab")
    )
    for engine in (a, b, a, b):  # each is let go for the other
        engine.predict(EMPTY, SegmentationParams())
    assert len(tried) == 2


def test_an_engine_is_a_value() -> None:
    engines = EngineRegistry()
    engines.add(Engine("empty", "empty-1", "1", lambda grey, _: Prediction(np.zeros(grey.shape, np.float32))))
    assert engines.names == ("empty",)
    assert engines.get("empty").predict(EMPTY, SegmentationParams()).inside.max() == 0


def test_names_and_versions_are_known_without_torch() -> None:
    check = (
        "import sys, core.segmentation as s; assert s.EngineRegistry.shipped().get('unet').version; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)
