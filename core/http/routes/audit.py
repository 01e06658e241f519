"""/downloads/audit.csv: who did what, all of it, for admins."""

from __future__ import annotations

import io
from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from core.accounts.audit import ROWS_PER_READ, AuditRow
from core.errors import NotFound
from core.http.answers import NOT_KEPT, attachment
from core.http.dependencies import ServicesDependency
from core.http.routing import ReadRouter
from core.http.tables import CSV
from core.listing.csv_table import CsvTable

HEADER = ("sequence", "time_utc", "who", "did", "project", "what", "address")

router = ReadRouter(prefix="/downloads", tags=["How the app is doing"], default_response_class=Response)


@router.get(
    "/audit.csv", responses={200: {"content": {CSV: {"schema": {"type": "string", "format": "binary"}}}}}
)
def audit(services: ServicesDependency) -> Response:
    """The audit, the newest first; there is none with AUTH=none."""
    if not services.access.rules.enabled:
        raise NotFound("There is nothing at this address.")
    headers = {"Content-Disposition": attachment("audit.csv"), "Cache-Control": NOT_KEPT}
    return StreamingResponse(_pieces(services.access.audit.everything()), headers=headers, media_type=CSV)


def _pieces(rows: Iterator[AuditRow]) -> Iterator[str]:
    text = io.StringIO(newline="")
    table = CsvTable(HEADER, text)
    for number, row in enumerate(rows, start=1):
        values = (row.sequence, row.done_at, row.name, row.action, row.project, row.subject, row.address)
        table.write(dict(zip(HEADER, values, strict=True)))
        if number % ROWS_PER_READ == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
