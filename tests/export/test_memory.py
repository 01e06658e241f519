"""Making an archive takes no more memory for many images than for few."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_GROWTH_MB = 40

CHILD = """
    import json, sys
    from pathlib import Path
    import numpy as np
    from core.export import ExportRequest, Part
    from core.images import label_png
    from core.services import Services
    from core.settings import Settings
    from tests import corpus
    from tests.http.lab import Lab, disc

    def peak_mb():
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024

    folder = Path(sys.argv[1])
    services = Services.open(Settings(data=folder))
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    labels = np.zeros((1200, 1200), np.int32)
    labels[100:400, 100:400] = 1
    labels[600:900, 600:900] = 2
    labels = label_png.encode(labels)

    def archive(name, count, seed):
        project = lab.project(name)
        for number in range(count):
            pixels = corpus.noise((1200, 1200), "uint16", seed=seed + number)
            image = lab.image(project, f"{number}.tif", corpus.tiff(pixels))
            lab.measured(image, disc(1), disc(2), mask=labels)
        request = ExportRequest(project.id, frozenset(Part))
        work = folder / name
        work.mkdir()
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak
        before = peak_mb()
        services.exports._builder.make(request, work, lambda done: None)
        return (work / "archive.zip").stat().st_size / 2**20, peak_mb() - before

    archive("warm up", 2, 0)
    size, growth = archive("large", 60, 100)
    services.close()
    print(json.dumps({"size_mb": size, "growth_mb": growth}))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    assert figures["size_mb"] > 3 * MAX_GROWTH_MB
    assert figures["growth_mb"] < MAX_GROWTH_MB, figures
