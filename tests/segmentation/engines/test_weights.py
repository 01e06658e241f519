"""T17: weights are read as numbers only: a file that would run code is refused, whatever its digest."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest

from core.errors import SegmentationError
from core.segmentation.engines.weights import SHIPPED, load

pytestmark = pytest.mark.slow


class RunsCode:
    """What pickle would run."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.proof,))


def weights_file(folder: Path, data: bytes, sha256: str = "") -> Path:
    """Write a weights file with its JSON, which names the digest of ``data`` unless another is given."""
    file = folder / "unet.safetensors"
    file.write_bytes(data)
    about = json.loads(SHIPPED.with_suffix(".json").read_text(encoding="utf-8"))
    about["sha256"] = sha256 or hashlib.sha256(data).hexdigest()
    file.with_suffix(".json").write_text(json.dumps(about))
    return file


@pytest.mark.parametrize("known", [False, True])
def test_code_in_place_of_weights_is_never_run(tmp_path: Path, known: bool) -> None:
    proof = tmp_path / "proof"
    data = pickle.dumps(RunsCode(proof))
    pickle.loads(data)
    assert proof.exists(), "the file has to be one that runs"
    proof.unlink()
    words = "cannot be read" if known else "not the one"
    with pytest.raises(SegmentationError, match=words):
        load(weights_file(tmp_path, data, "" if known else "0" * 64))
    assert not proof.exists()


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 64, b"\x08\0\0\0\0\0\0\0{}      "])
def test_damaged_weights_are_refused_in_words(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SegmentationError, match="cannot be read"):
        load(weights_file(tmp_path, data))


def test_one_changed_bit_is_refused(tmp_path: Path) -> None:
    data = bytearray(SHIPPED.read_bytes())
    known = hashlib.sha256(data).hexdigest()
    data[len(data) // 2] ^= 1
    with pytest.raises(SegmentationError, match="not the one"):
        load(weights_file(tmp_path, bytes(data), known))
