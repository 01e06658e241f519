"""compose.yaml as Docker Compose reads it: merged, and checked against the specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from compose_spec import ComposeSpecification, Service

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy"
UNITS = {"m": 2**20, "g": 2**30}


def read() -> dict[str, Any]:
    """The file's content; a service's field that the specification does not know is an error."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    ComposeSpecification.model_validate(content)
    for name, service in content["services"].items():
        assert set(service) <= set(Service.model_fields), name
    return content


def services() -> dict[str, dict[str, Any]]:
    section: dict[str, dict[str, Any]] = read()["services"]
    return section


def n_bytes(text: str) -> int:
    """“256m” or “1g” in bytes."""
    return int(text[:-1]) * UNITS[text[-1]]
