"""What ``make`` does before the first package is installed, with a Python that only pretends."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INDEX = "https://packages.example/cpu"
# Answers `-c CODE` as if its version were another, and `-m venv FOLDER` with a pip that notes its arguments.
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then
  exec {python} -c 'import sys; sys.version_info = ({version}, 0); exec(sys.argv[1])' "$2"
fi
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$@" >> {log}\\n' > "$3/bin/pip"
printf '#!/bin/sh\\n' > "$3/bin/python"
chmod +x "$3/bin/pip" "$3/bin/python"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what ``make`` reads, and no environment."""
    for path in (ROOT / "Makefile", *ROOT.glob("requirements*.txt")):
        shutil.copy(path, tmp_path)
    return tmp_path


def make_run(checkout: Path, version: str, *variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``make run`` with a Python of this version; pip's arguments stand in ``pip.log``."""
    python = checkout / "python"
    python.write_text(PYTHON.format(python=sys.executable, version=version, log=checkout / "pip.log"))
    python.chmod(0o755)
    command = ["make", "run", f"PYTHON={python}", *variables]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["2, 7", "3, 10", "3, 15"])
def test_a_python_without_packages_gets_a_sentence_before_pip_runs(checkout: Path, version: str) -> None:
    result = make_run(checkout, version)
    assert result.returncode != 0
    assert f"needs Python 3.11 (3.12 to 3.14 install, too) and this is {version.replace(', ', '.')}." in (
        result.stderr
    )
    assert not (checkout / "pip.log").exists()


def test_torch_is_installed_first_and_alone(checkout: Path) -> None:
    result = make_run(checkout, "3, 11")
    assert result.returncode == 0, result.stderr
    first, second = (checkout / "pip.log").read_text().splitlines()
    assert first.split()[-1].startswith("torch==")
    assert second.endswith("-r requirements-dev.txt")
    assert "index-url" not in first + second


def test_torch_alone_comes_from_the_index_that_is_set(checkout: Path) -> None:
    make_run(checkout, "3, 14", f"TORCH_INDEX={INDEX}")
    first, second = (checkout / "pip.log").read_text().splitlines()
    assert f"--index-url {INDEX} torch==" in first
    assert "index-url" not in second
