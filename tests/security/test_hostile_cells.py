"""T7: no name, however it was chosen, becomes a formula in a table that somebody takes away."""

from __future__ import annotations

import csv
import io
import zipfile

import openpyxl
import pytest

from core.accounts import Level, Role
from core.export import ExportRequest, ExportState, Part
from core.listing.csv_table import RISKY_STARTS
from tests.http.lab import Lab, disc
from tests.polling import wait_until
from tests.security.conftest import Door

DDE = ("cmd|' /C calc'!A0", "SUM(1+1)*cmd|' /C calc'!A0", "WEBSERVICE(A1)", 'HYPERLINK("http://x")', "1+1")
PAYLOADS = (
    *(f"{start}{rest}" for start in "=+-@" for rest in DDE),
    *("\t=1+1", "\r=1+1", "\n=1+1", "a\0b", "=1\r\n=2", '="a"', "@@", "--1", "=\t1", "-2+3"),
)


@pytest.fixture
def tables(door: Door) -> dict[str, str]:
    """Every CSV of an app whose projects, images and people are all called by a payload."""
    services, lab = door.services, Lab(door.services.store, door.services.blobs)
    boss = door.account("boss", Role.ADMIN)
    principal = door.access.by_name("boss")
    assert principal is not None
    client, tables = door.signed_in("boss"), {}
    for number, payload in enumerate(PAYLOADS):
        project = services.store.projects.create(f"{payload} {number}", "classical", owner=boss)
        image = lab.measured(lab.image(project, payload.replace("{", "{{")), disc())
        services.for_caller(principal).store.projects.rename(project.id, f"{payload}  {number}")
        for name in ("objects", "images", "measurements"):
            path = f"/downloads/projects/{project.id}/{name}.csv"
            tables[path] = client.get(path).text
        tables[image.id] = client.get(f"/downloads/images/{image.id}/objects.csv").text
    person = door.account("=1+1")
    door.access.members.set_level(services.store.projects.list()[0].id, person, Level.VIEW)
    tables["audit"] = client.get("/downloads/audit.csv").text
    return tables


def test_no_cell_of_any_table_begins_as_a_formula(tables: dict[str, str]) -> None:
    assert len(PAYLOADS) >= 30
    escaped = 0
    for name, text in tables.items():
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len(rows) > 1, name
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(RISKY_STARTS) or is_number(cell), (name, cell)
            assert "\0" not in cell or cell.startswith("'"), (name, cell)
            escaped += cell.startswith("'")
    assert escaped > len(PAYLOADS), "the payloads have to be in the tables, or nothing was looked at"


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_a_spreadsheet_has_text_and_no_formula(door: Door) -> None:
    services, lab = door.services, Lab(door.services.store, door.services.blobs)
    project = lab.project("=1+1")
    for payload in PAYLOADS:
        if "\0" not in payload:  # no sheet can hold one
            lab.measured(lab.image(project, payload), disc())
    export_id = services.exports.start(ExportRequest(project.id, frozenset({Part.XLSX, Part.CSV})))
    wait_until(lambda: services.exports.get(export_id).state is ExportState.READY, 60)
    with zipfile.ZipFile(services.exports.take(export_id)[1]) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".xlsx"))
        book = openpyxl.load_workbook(io.BytesIO(archive.read(name)))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    shown = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "'=SUM(1+1)*cmd|' /C calc'!A0" in shown
