"""``make audit``: advisories about the installed packages, by pip-audit where its service can be reached."""

from __future__ import annotations

import json
import subprocess
import sys

COMMAND = (sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off")
NOT_DONE = (
    "Not audited: {reason}. Run make audit where the Python package index can be reached; the floors of "
    "tests/security/test_floors.py are checked everywhere."
)


def outcome(printed: str, errors: str) -> tuple[int, str]:
    """Return the exit status and the words for what pip-audit printed.

    0 where nothing is known against the packages, and where it could not be found out; 1 with an advisory.
    """
    if "No module named pip_audit" in errors:
        return 0, NOT_DONE.format(reason="pip-audit is not installed (pip install pip-audit)")
    try:
        packages = json.loads(printed)["dependencies"]
    except ValueError:
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return 0, NOT_DONE.format(reason=f"pip-audit could not ask ({last[:200]})")
    audited = [item for item in packages if "skip_reason" not in item]
    if not audited:
        return 0, NOT_DONE.format(reason="no package was found at the service that was asked")
    lines = [
        f"{item['name']} {item['version']}: {advisory['id']}, mended in "
        f"{', '.join(advisory['fix_versions']) or 'no version yet'}"
        for item in audited
        for advisory in item["vulns"]
    ]
    skipped = len(packages) - len(audited)
    words = f"{len(audited)} packages audited, {skipped} not found there, {len(lines)} advisories."
    return int(bool(lines)), "\n".join([*lines, words])


def main() -> int:
    """Run pip-audit and print what it says."""
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    status, words = outcome(done.stdout, done.stderr)
    print(words)
    return status


if __name__ == "__main__":
    sys.exit(main())
