"""What every list has in common: walks by cursor, chosen fields, ETags."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from core.services import Services
from core.store import Recipe, Store
from tests.http.conftest import application
from tests.http.lab import RECIPE, Lab, disc
from tests.http.test_api import error_of


def walk(client: TestClient, address: str, rows: str) -> Iterator[dict[str, object]]:
    """Every row of a list, part by part."""
    sign = "&" if "?" in address else "?"
    cursor = None
    while True:
        page = client.get(address + (f"{sign}cursor={cursor}" if cursor else "")).json()
        yield from page[rows]
        cursor = page["next"]
        if cursor is None:
            return


def test_a_walk_gives_every_row_once(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    names = sorted(lab.image(project, f"{letter}.png").name for letter in "abcdefg")
    for limit in (1, 3, 7):
        address = f"/api/projects/{project.id}/images?sort=name&limit={limit}"
        assert [row["name"] for row in walk(client, address, "images")] == names
    for number in range(4):
        lab.project(f"Other {number}")
    names = [row["name"] for row in walk(client, "/api/projects?sort=name&limit=2", "projects")]
    assert names == ["Other 0", "Other 1", "Other 2", "Other 3", "Plate 1"]


def test_a_walk_goes_on_behind_its_last_row_although_rows_come_and_go(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    first = {letter: lab.image(project, f"{letter}.png") for letter in "bdfh"}
    seen = []
    for row in walk(client, f"/api/projects/{project.id}/images?sort=name&limit=2", "images"):
        seen.append(row["name"])
        if row["name"] == "d.png":
            lab.image(project, "a.png")
            lab.image(project, "g.png")
            lab.store.images.delete(project.id, [first["b"].id])
    assert seen == ["b.png", "d.png", "f.png", "g.png", "h.png"]


def test_a_walk_keeps_to_its_filter(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    for letter in "abcde":
        lab.image(project, f"x{letter}.png")
        lab.image(project, f"y{letter}.png")
    address = f"/api/projects/{project.id}/images?sort=name&name=y&limit=2"
    assert [row["name"] for row in walk(client, address, "images")] == [f"y{key}.png" for key in "abcde"]


@pytest.mark.parametrize("page_index", [True, False])
def test_a_walk_through_images_goes_on_although_its_last_row_is_gone(
    services: Services, lab: Lab, *, page_index: bool
) -> None:
    if not page_index:
        services = replace(services, store=Store(services.db, page_index_bytes=0))
    project = lab.project()
    for letter in "abcdefgh":
        lab.image(project, f"{letter}.png")
    seen = []
    with TestClient(application(services), base_url="http://localhost") as client:
        for row in walk(client, f"/api/projects/{project.id}/images?sort=-name&limit=2", "images"):
            seen.append(row["name"])
            lab.store.images.delete(project.id, [str(row["id"])])
    assert seen == [f"{letter}.png" for letter in "hgfedcba"]


def test_a_walk_through_a_projects_objects_skips_and_repeats_none(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    images = [lab.measured(lab.image(project, f"b{number}.png"), disc(1), disc(2)) for number in range(4)]
    gone = lab.measured(lab.image(project, "a.png"), disc(1), disc(2), disc(3))
    seen = []
    for row in walk(client, f"/api/projects/{project.id}/objects?limit=2", "objects"):
        seen.append((row["image_name"], row["object"]))
        if len(seen) == 4:
            lab.store.images.delete(project.id, [gone.id, images[0].id])  # the row just given is one of these
            lab.measured(lab.image(project, "aa.png"), disc(1), disc(2))
            lab.measured(lab.image(project, "bb.png"), disc(1))
    assert seen[3] == ("b0.png", 1)
    expected = [(f"b{number}.png", place) for number in range(1, 4) for place in (1, 2)]
    assert seen[4:] == [*expected, ("bb.png", 1)]


def test_jobs_are_sorted_and_walked_while_they_end(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    images = [lab.image(project, f"{number}.png") for number in range(6)]
    lab.store.jobs.enqueue(project.id, [image.id for image in images], RECIPE)
    seen = []
    for row in walk(client, "/api/jobs?state=queued&limit=2&sort=-created_at", "jobs"):
        seen.append(row["image_id"])
        lab.store.jobs.cancel([str(row["id"])])
    assert sorted(seen) == sorted(image.id for image in images)
    _, message = error_of(client.get("/api/jobs?sort=sha256"), 400)
    assert message.startswith("The list cannot be sorted by “sha256”. Known: sequence, state")


def test_objects_and_jobs_are_walked_too(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.png"), *(disc(number, number) for number in range(1, 8)))
    for address in (f"/api/images/{image.id}/objects", f"/api/projects/{project.id}/objects"):
        assert [row["object"] for row in walk(client, f"{address}?limit=3", "objects")] == list(range(1, 8))
    lab.store.jobs.enqueue(project.id, [lab.image(project, f"{key}.png").id for key in "bcd"], RECIPE)
    jobs = [row["image_name"] for row in walk(client, "/api/jobs?state=queued&limit=2", "jobs")]
    assert jobs == ["b.png", "c.png", "d.png"]


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def altered(cursor: str, last: list[object]) -> str:
    sort, _, offset, about = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return cursor_of(sort, last, offset, about)


@pytest.mark.parametrize(
    "last",
    [
        *(["a"], ["a", "b", "c"], [1, "a", 1], [float("nan"), "a", 1], [float("inf"), "a", 1]),
        *([10**400, "a", 1], ["1", "a", 1], [True, "a", 1], [1.5, "a", 1.5], [1.5, "a", 2**63]),
        *([1.5, 1, 1], [1.5, "a", None], [None, None, None]),
    ],
)
def test_keys_that_are_none_of_the_lists_are_refused_or_found_behind(
    client: TestClient, lab: Lab, last: list[object]
) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.png"), disc(1, 3), disc(2, 4))
    for address in (f"/api/projects/{project.id}/objects?sort=area&limit=1", "/api/jobs?limit=1"):
        lab.store.jobs.enqueue(project.id, [lab.image(project, f"{len(address)}.png").id], RECIPE)
        cursor = client.get(address).json()["next"]
        answer = client.get(f"{address}&cursor={altered(cursor, last)}")
        if answer.status_code != 200:
            assert error_of(answer, 400)[0] == "invalid_request"


@pytest.mark.parametrize(
    "query",
    [
        *("cursor=", "cursor=x", "cursor=%00", "cursor=e30", "cursor=W10", "cursor=" + "A" * 3000),
        f"cursor={cursor_of('name', ['x'], -1, 'y')}",
        f"cursor={cursor_of('name', ['x'], True, 'y')}",
        f"cursor={cursor_of('name', 'x', 0, 'y')}",
        f"cursor={cursor_of('name', [], 0, 'y')}",
        f"cursor={cursor_of('name', [{}], 0, 'y')}",
        f"cursor={cursor_of('name', [chr(0xD800)], 0, 'y')}",
        f"cursor={cursor_of('name', ['x'], 10**12, 'y')}",
        f"cursor={cursor_of('name', ['x'], 0, 'y')}",
        "cursor=" + "WyI" * 2000,
    ],
)
def test_a_made_up_cursor_is_refused(empty_client: TestClient, query: str) -> None:
    assert error_of(empty_client.get(f"/api/projects?{query}"), 400)[0] == "invalid_request"


def test_a_cursor_is_of_one_list_alone(client: TestClient, lab: Lab) -> None:
    for number in range(3):
        lab.project(f"Plate {number}")
    cursor = client.get("/api/projects?sort=name&limit=1").json()["next"]
    assert client.get(f"/api/projects?sort=name&limit=2&cursor={cursor}").status_code == 200
    for query in ("sort=-name", "name=Plate", "offset=1", "page=2"):
        error_of(client.get(f"/api/projects?{query}&cursor={cursor}"), 400)
    error_of(client.get(f"/api/jobs?cursor={cursor}"), 400)


def test_only_the_fields_that_are_wanted_come(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.png"), disc())
    for address, rows, fields in (
        ("/api/projects", "projects", ["name", "counts"]),
        (f"/api/projects/{project.id}/images", "images", ["name", "thumbnail"]),
        (f"/api/projects/{project.id}/objects", "objects", ["image_name", "area_um2"]),
        (f"/api/images/{image.id}/objects", "objects", ["area"]),
        ("/api/jobs", "jobs", ["state", "image_id"]),
    ):
        (row,) = client.get(f"{address}?fields={','.join(fields)}").json()[rows]
        assert list(row) == ["id", *fields]
        _, message = error_of(client.get(f"{address}?fields=name,sha256"), 400)
        assert "There is no field" in message


def test_answers_are_compressed_as_the_client_can_take_them(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    for number in range(20):
        lab.image(project, f"{number}.png")
    address = f"/api/projects/{project.id}/images"
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accepted, given in (("gzip", "gzip"), ("gzip, zstd", "zstd"), ("br", None)):
        with client.stream("GET", address, headers={"Accept-Encoding": accepted}) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers.get("content-encoding") == given
        assert answer.headers["vary"] == "Accept-Encoding"
        assert (len(raw) < len(plain.content) / 2) is (given is not None)
    assert client.get(address, headers={"Accept-Encoding": "gzip"}).json() == plain.json()


def test_a_kept_answer_of_what_has_been_deleted_is_not_confirmed(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    address = f"/api/projects/{project.id}/images"
    tag = client.get(address).headers["etag"]
    lab.store.projects.delete(project.id)
    error_of(client.get(address, headers={"If-None-Match": tag}), 404)


def test_projects_are_paged_sorted_and_found(client: TestClient, lab: Lab) -> None:
    one, two = lab.project("Melanoma"), lab.project("Colon", um_per_px=2.0)
    lab.image(one, "a.png")
    lab.measured(lab.image(two, "b.png"), disc())

    def names(query: str) -> list[str]:
        return [row["name"] for row in client.get(f"/api/projects?{query}").json()["projects"]]

    assert names("sort=name") == ["Colon", "Melanoma"]
    assert names("sort=-done") == ["Colon", "Melanoma"]
    assert names("sort=pixel_size") == names("sort=-pixel_size") == ["Colon", "Melanoma"]
    assert names("name=MELA") == ["Melanoma"]
    assert names("sort=name&limit=1&page=2") == ["Melanoma"]
    assert client.get("/api/projects?limit=1").json()["pagination"]["totalPages"] == 2
    error_of(client.get("/api/projects?sort=params"), 400)


def test_spheroids_of_a_project_are_sorted_and_narrowed(client: TestClient, lab: Lab) -> None:
    project = lab.project(um_per_px=2.0)
    lab.measured(lab.image(project, "b.png"), disc(1, 10, touches_border=True), disc(2, 20, solidity=None))
    lab.measured(lab.image(project, "a.png"), disc(1, 30))
    old = lab.measured(lab.image(project, "c.png"), disc(1, 1))
    lab.measured(old, disc(1, 40), recipe=Recipe("classical", "4", {}))

    def matches(query: str) -> list[tuple[object, object]]:
        answer = client.get(f"/api/projects/{project.id}/objects?{query}").json()
        assert answer["total"] == len(answer["objects"])
        return [(row["image_name"], row["object"]) for row in answer["objects"]]

    assert matches("") == [("a.png", 1), ("b.png", 1), ("b.png", 2), ("c.png", 1)], (
        "the result in force alone"
    )
    assert matches("sort=-equivalent_diameter_um") == [("c.png", 1), ("a.png", 1), ("b.png", 2), ("b.png", 1)]
    assert matches("equivalent_diameter_um_min=60&equivalent_diameter_um_max=130") == [
        ("a.png", 1),
        ("b.png", 2),
    ]
    assert matches("touches_border=1") == [("b.png", 1)]
    assert matches("touches_border=0&name=B") == [("b.png", 2)]
    assert matches("solidity_min=-1") == [("a.png", 1), ("b.png", 1), ("c.png", 1)]
    (row,) = client.get(f"/api/projects/{project.id}/objects?name=a.png").json()["objects"]
    assert (row["um_per_px"], row["area_um2"]) == (2.0, row["area"] * 4)


def test_what_the_measurements_show_can_be_taken_away(client: TestClient, lab: Lab) -> None:
    project = lab.project("Plate µ", um_per_px=2.0)
    lab.measured(lab.image(project, "b.png"), disc(1, 10), disc(2, 20))
    lab.measured(lab.image(project, "=a.png"), disc(1, 30))
    address = f"/downloads/projects/{project.id}/measurements.csv"
    answer = client.get(f"{address}?sort=-area&area_min=400&fields=image_name,object,area_um2")
    assert answer.text.splitlines() == [
        "image,object,area_um2,um_per_px,um_per_px_source",  # what the area follows from comes with it
        "'=a.png,1,11308.0,2.0,project",
        "b.png,2,5028.0,2.0,project",
    ]
    assert client.get(f"{address}?fields=object,area&name=a.png").text.splitlines()[0] == "object,area_px2"
    assert "measurements.csv" in answer.headers["content-disposition"]
    whole = client.get(address).text
    assert whole == client.get(f"/downloads/projects/{project.id}/objects.csv").text
    error_of(client.get(f"{address}?fields=contour"), 400)
    error_of(client.get(f"{address}?sort=contour"), 400)


@pytest.mark.parametrize(
    ("query", "message_part"),
    [
        ("area_min=big", "area_min must be a number"),
        ("area_min=", "area_min must be a number"),
        ("area_min=nan", "area_min must be a number"),
        ("area_min=1e999", "area_min must be a number"),
        ("area_min=1_0", "area_min must be a number"),
        ("area_min=5&area_max=4", "area_min is greater than area_max"),
        ("touches_border=yes", "touches_border must be 0 or 1"),
        ("sort=contour", "cannot be sorted by"),
        ("name=" + "x" * 201, "name may have 200 characters"),
    ],
)
def test_bounds_that_cannot_be_are_refused(
    client: TestClient, lab: Lab, query: str, message_part: str
) -> None:
    _, message = error_of(client.get(f"/api/projects/{lab.project().id}/objects?{query}"), 400)
    assert message_part in message
