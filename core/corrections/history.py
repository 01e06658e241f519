"""``python -m core verify-history``: checks the chain of everything that people changed of results."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from core.db import Database
from core.monitoring import QueryRecorder
from core.settings import Settings
from core.store.correction_audit import CorrectionAudit, Verified

WHOLE, ALTERED = 0, 1


def add_command(commands: Any) -> None:
    """Add the command to the parser of ``python -m core``."""
    commands.add_parser(
        "verify-history", help="check that nobody has altered the history of corrections; stop the app first"
    )


def verify(_options: argparse.Namespace) -> int:
    """Read the whole history; return 1 where a change of it was altered, added or taken out.

    Raises:
        DatabaseLocked: the app runs.
    """
    db = Database.open(Settings.from_env().data / "spheroscope.duckdb", QueryRecorder())
    try:
        verified = CorrectionAudit(db).verify()
    finally:
        db.close()
    print(words(verified), file=sys.stderr)
    return WHOLE if verified.wrong is None else ALTERED


def words(verified: Verified) -> str:
    """What the check found, for people."""
    if verified.wrong is not None:
        return (
            f"The history was altered: its first {verified.rows} changes are whole, number {verified.wrong} "
            "is not. Compare with a backup."
        )
    return (
        f"{verified.rows} changes, none altered. Note the last hash elsewhere, to compare it next time: "
        f"{verified.head}"
    )
