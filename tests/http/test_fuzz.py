"""Requests by the hundred, right and wrong, made from the OpenAPI document, sent to the running app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import BaseSchema

from tests.browser.app import app_server, lab_in
from tests.http.conftest import PATHS
from tests.http.lab import disc

EXAMPLES = 15
load_all_checks()
# That a cursor must be one that was given, and that a page excludes an offset, OpenAPI cannot say.
EXCLUDED = CHECKS.get_by_names(["positive_data_acceptance"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "data"


@pytest.fixture(scope="module")
def ids(data: Path) -> dict[str, str]:
    """Ids of a project and an image of the running app, by what their addresses begin with."""
    with lab_in(data) as lab:
        project = lab.project("Plate", um_per_px=2.0)
        for number in range(5):
            image = lab.measured(lab.image(project, f"{number}.png"), disc(1), disc(2, 5))
    return {"project": project.id, "image": image.id}


@pytest.fixture(scope="module")
def document(data: Path, ids: dict[str, str]) -> Iterator[BaseSchema]:
    with app_server(data) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_the_document_says(document: BaseSchema, ids: dict[str, str], path: str) -> None:
    operation = document[path]["GET"]
    known = ids["project" if "/projects/" in path else "image"]
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    # The same requests at every run: a suite that fails by chance teaches nobody anything.
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(modes), there=st.booleans())
    def ask(case: Any, there: bool) -> None:
        # What stands there without a value counts as not given, whatever may be given.
        assume(all(value not in ("", [], {}, None) for value in (case.query or {}).values()))
        if there and "id" in case.path_parameters:
            case.path_parameters["id"] = known
        case.call_and_validate(excluded_checks=EXCLUDED)

    ask()
