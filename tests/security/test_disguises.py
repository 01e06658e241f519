"""T5 and T6: archives and documents that call themselves images, and how files are sent back."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from core.files.blobs import Blobs
from core.ingest import Ingest, UploadOutcome
from core.models import Limits, Project
from core.services import Services
from core.store import Store
from tests import corpus
from tests.http.conftest import application
from tests.http.lab import Lab, disc

MAX_BYTES = 2**20  # of the disk, that a refused file may leave taken


def zipped(members: dict[str, bytes], mode: int = 0) -> bytes:
    """A ZIP archive; with ``mode``, its members are files of that kind in Unix."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return out.getvalue()


def twice() -> bytes:
    """A ZIP archive with one name twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", b"2")
    return out.getvalue()


def encrypted() -> bytes:
    """A ZIP archive whose member says that it is encrypted."""
    data = bytearray(zipped({"a.png": corpus.png(corpus.noise())}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def tarred(name: str) -> bytes:
    """A gzipped tar with a symbolic link out of its folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "bomb": lambda: zipped({"zeros.png": bytes(100 * 2**20)}),
    "bomb of bombs": lambda: zipped({f"{n}.zip": zipped({"a": bytes(2**20)}) for n in range(16)}),
    "slip": lambda: zipped({"../../evil.png": corpus.png(corpus.noise())}),
    "slip with backslashes": lambda: zipped({"..\\..\\evil.png": b"x"}),
    "absolute path": lambda: zipped({"/tmp/evil-of-the-test.png": b"x"}),
    "symbolic link": lambda: zipped({"a.png": b"/etc/passwd"}, stat.S_IFLNK | 0o777),
    "100,000 entries": lambda: zipped(dict.fromkeys((f"{n}.png" for n in range(100_000)), b"")),
    "encrypted": encrypted,
    "one name twice": twice,
    "nested": lambda: zipped({"inner.zip": zipped({"a.png": corpus.png(corpus.noise())})}),
    "tar with a link": lambda: tarred("../../a.png"),
    "images": lambda: zipped({"a.png": corpus.png(corpus.noise())}),
}
DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "html": corpus.html,
    "svg": corpus.svg,
    "svg after spaces": lambda: b" \n\t<?xml version='1.0'?>" + corpus.svg(),
    "svg in UTF-16": lambda: corpus.svg().decode().encode("utf-16"),
    "eps": corpus.eps,
    "pdf": corpus.pdf,
    "gif": corpus.gif,
    "webp": corpus.webp,
    "jpeg 2000": corpus.jpeg_2000,
    "numpy": corpus.numpy_file,
    "script": lambda: b"#!/bin/sh\nid\n",
    "program": lambda: b"\x7fELF\x02\x01\x01" + bytes(200),
    "windows program": lambda: b"MZ" + bytes(200),
    "xml with an entity": lambda: b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "image behind a page": lambda: corpus.html() + corpus.png(corpus.noise()),
}


@pytest.mark.parametrize("name", [*ARCHIVES, *DOCUMENTS])
def test_what_is_no_image_is_refused_whatever_it_is_called(
    name: str, tmp_path: Path, store: Store, blobs: Blobs, project: Project
) -> None:
    data = (ARCHIVES | DOCUMENTS)[name]()
    before = files(tmp_path)
    for called in ("a.png", "b.TIF", "c.jpg"):
        verdict = Ingest(store, blobs, Limits()).add(project.id, called, data, None)
        assert (verdict.outcome, verdict.code) == (UploadOutcome.REFUSED, "not_an_image")
    assert files(tmp_path).keys() == before.keys()
    assert sum(files(tmp_path).values()) - sum(before.values()) < MAX_BYTES
    assert not Path("/tmp/evil-of-the-test.png").exists()
    assert store.projects.get(project.id).n_images == 0


ROIS = {
    "bomb": lambda: zipped({"a.roi": bytes(100 * 2**20)}),
    "slip": lambda: zipped({"../../evil.roi": b"Iout" + bytes(60)}),
    "20,000 outlines": lambda: zipped(dict.fromkeys((f"{n}.roi" for n in range(20_000)), b"Iout")),
}


@pytest.mark.parametrize("name", [*ARCHIVES, *ROIS])
def test_an_archive_of_outlines_is_read_in_memory_or_refused(
    name: str, tmp_path: Path, services: Services
) -> None:
    """Outlines may come as a ZIP of ImageJ's ROIs, of which no member becomes a file."""
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    project = lab.project()
    lab.measured(lab.image(project, "a.png"), disc())
    before = files(tmp_path).keys()
    (picture,) = services.imports.add(project.id, "a.zip", (ROIS | ARCHIVES)[name](), "ana")
    assert picture.version_id is None
    assert "ROI" in picture.message
    assert files(tmp_path).keys() == before
    assert not Path("/tmp/evil-of-the-test.png").exists()


def files(root: Path) -> dict[str, int]:
    """Size of each file below a folder, by its path, but for the databases, which write when they like."""
    present = (path for path in root.rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): path.stat().st_size
        for path in present
        if not path.name.startswith(("metrics.", "spheroscope."))
    }


def test_a_file_comes_back_as_an_image_or_a_download_and_never_as_a_page(services: Services) -> None:
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    image = lab.measured(lab.image(lab.project(), "a.html", corpus.png_with_html()), disc())
    with TestClient(application(services), base_url="http://localhost") as client:
        for path in (
            *(f"/downloads/images/{image.id}/{what}" for what in ("original", "mask.png", "overlay.png")),
            *(f"/thumbs/{image.id}", f"/views/{image.id}.png?contrast=raw"),
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert answer.headers["content-type"] in ("image/png", "image/webp"), path
            if path.startswith("/downloads/"):
                assert answer.headers["content-disposition"].startswith("attachment;")
            else:
                assert b"<script" not in answer.content
