"""Files of ``assets/``: what the browser is given."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> str:
    """Return the text of a file."""
    return (ASSETS / name).read_text(encoding="utf-8")
