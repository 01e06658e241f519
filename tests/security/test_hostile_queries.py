"""T9 and T11: no word of SQL is a column, a sort or a filter of any list; and no id can be guessed."""

from __future__ import annotations

import secrets
from itertools import cycle, islice

import duckdb
import pytest
from starlette.testclient import TestClient

from core.accounts.rates import RateLimiter
from tests.http.conftest import DOCUMENT as OPENAPI
from tests.security.conftest import Walk
from tests.security.test_absence import READING, address

LISTS = {
    f"GET {path}": [item["name"] for item in methods["get"].get("parameters", ()) if item["in"] == "query"]
    for path, methods in OPENAPI["paths"].items()
    if "get" in methods
}
SORTED = {  # the lists with an order, and what each can be sorted by
    f"GET {path}": set(item["schema"]["enum"])
    for path, methods in OPENAPI["paths"].items()
    for item in methods.get("get", {}).get("parameters", ())
    if item["name"] == "sort"
}
KEYWORDS = sorted({row[0] for row in duckdb.sql("SELECT keyword_name FROM duckdb_keywords()").fetchall()})
VALUES = ("'; DROP TABLE image; --", "1 OR 1=1", '"', "a' UNION SELECT * FROM account --", "$1", "%s", "{0}")
GUESSES = 10_000


def unlimited(walk: Walk) -> TestClient:
    """Somebody who may see everything, with as many downloads as they like."""
    walk.door.access.downloads = RateLimiter(10**9, lambda: 0.0)
    return walk.callers["admin"]


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.full)])
def test_no_word_of_sql_is_a_sort_or_a_filter_of_any_list(walk: Walk, every: int) -> None:
    """Every keyword is tried as the sort of one list, each list having its share of them.

    One in ``every`` is also tried as a sort downwards and as a filter.
    """
    assert len(KEYWORDS) >= 200
    assert len(SORTED) >= 4
    client = unlimited(walk)
    for number, word in enumerate(KEYWORDS):
        name = list(SORTED)[number % len(SORTED)]
        method, path = address(walk, name)
        more = ({"sort": f"{word} DESC"}, {word: "1"}) if number % every == 0 else ()
        for query in ({"sort": word}, *more):
            answer = client.request(method, path, params=query)
            is_known = word in LISTS[name] or query.get("sort") in SORTED[name]
            assert answer.status_code == 400 or is_known, (name, query)
    assert walk.door.services.store.projects.get(walk.project.id).n_images == 1


@pytest.mark.parametrize("n_values", [2, pytest.param(len(VALUES), marks=pytest.mark.full)])
def test_no_value_of_any_parameter_is_sql(walk: Walk, n_values: int) -> None:
    """Every parameter of every route is given so many of the values, each time the next ones."""
    client, before, values = unlimited(walk), counts(walk), cycle(VALUES)
    for name in READING:
        method, path = address(walk, name)
        plain = client.request(method, path)
        for parameter in LISTS[name]:
            for value in islice(values, n_values):
                answer = client.request(method, path, params={parameter: value})
                assert answer.status_code in (200, 400, 404), (name, parameter, value)
                if answer.status_code == 200 and "json" in answer.headers["content-type"]:
                    assert len(answer.content) <= len(plain.content) + 2 * len(value), (
                        name,
                        parameter,
                        value,
                    )
    assert counts(walk) == before


def counts(walk: Walk) -> tuple[int, int]:
    store = walk.door.services.store
    return len(store.projects.list()), store.projects.get(walk.project.id).n_images


@pytest.mark.full
def test_no_id_is_guessed(walk: Walk) -> None:
    """By somebody who may see everything: a hit would be an answer."""
    client = unlimited(walk)
    paths = ("/downloads/images/{}/original", "/api/exports/{}", "/api/projects/{}/images", "/thumbs/{}")
    for number in range(GUESSES):
        path = paths[number % len(paths)]
        guess = secrets.token_hex(8 if "projects" in path else 16)
        assert client.head(path.format(guess)).status_code == 404, path


@pytest.mark.parametrize("what", ["original", "mask.png", "overlay.png", "objects.csv"])
def test_an_id_that_is_altered_by_one_digit_is_nothing(walk: Walk, what: str) -> None:
    client = walk.callers["owner"]
    known = walk.image.id
    assert client.get(f"/downloads/images/{known}/{what}").status_code == 200
    for index in range(len(known)):
        digit = "0" if known[index] != "0" else "1"
        other = known[:index] + digit + known[index + 1 :]
        assert client.get(f"/downloads/images/{other}/{what}").status_code == 404
