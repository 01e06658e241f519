"""A data folder from before there were accounts: all of it becomes the first admin's, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from core.accounts import Level
from core.db import Database
from core.monitoring import QueryRecorder
from core.services import Services
from core.settings import Settings
from tests.accounts.conftest import PASSWORD
from tests.db.test_migrations import IMAGES, SCHEMA_0_1, populate

pytestmark = pytest.mark.slow


def test_everything_belongs_to_the_first_admin(tmp_path: Path) -> None:
    path = tmp_path / "spheroscope.duckdb"
    Database.open(path, QueryRecorder(), schema=SCHEMA_0_1).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute((SCHEMA_0_1 / "views" / "image_row.sql").read_text(encoding="utf-8"))
        populate(connection)
    services = Services.open(Settings(data=tmp_path, auth="local", container_memory_limit_mb=16_384))
    services.queue.drain(5)
    access = services.access
    link = access.first_admin_link()
    assert link is not None
    boss = access.choose_password(link, "Boss", PASSWORD, "10.0.0.1", "").principal
    assert access.members.of_account(boss.account_id or "") == {"kept": Level.OWN, "gone": Level.OWN}
    (project,) = services.for_caller(boss).store.projects.list()
    there = [name for name in IMAGES if name not in ("deleted", "of a deleted project")]
    assert project.n_images == len(there)
    for name in there:
        assert services.for_caller(boss).store.images.get(name).name == f"{name}.tif"
    services.close()
