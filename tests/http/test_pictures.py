"""Thumbnails and views: the right picture, kept by browsers for exactly as long as it stays right."""

from __future__ import annotations

import numpy as np
import pytest
from starlette.testclient import TestClient

from core.http.routes import pictures
from core.models import Image, Limits
from core.services import Services
from core.store import Recipe
from tests import corpus
from tests.http.lab import OUTLINED, RAW, Lab, digest, disc

FOREVER = "public, max-age=31536000, immutable"


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(corpus.decode(data, 1, Limits()).pixels)


def test_a_new_image_shows_its_plain_thumbnail(client: TestClient, lab: Lab) -> None:
    image = lab.image(lab.project(), "a.png")
    response = client.get(f"/thumbs/{image.id}?v=raw")
    assert response.content == RAW
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == FOREVER


def test_a_segmented_image_shows_its_outlines(client: TestClient, lab: Lab) -> None:
    image = lab.measured(lab.image(lab.project(), "a.png"), disc())
    response = client.get(f"/thumbs/{image.id}?v={image.version_id}")
    assert (response.content, response.headers["cache-control"]) == (OUTLINED, FOREVER)
    assert client.get(f"/thumbs/{image.id}?v=raw").content == RAW


@pytest.mark.parametrize("query", ["", "?v=", "?v=somethingelse"])
def test_an_address_that_names_no_result_is_not_kept(client: TestClient, lab: Lab, query: str) -> None:
    image = lab.image(lab.project(), "a.png")
    address = f"/thumbs/{image.id}{query}"
    assert client.get(address).content == RAW
    lab.measured(image, disc())
    response = client.get(address)
    assert (response.content, response.headers["cache-control"]) == (OUTLINED, "no-cache")


def test_an_older_results_address_gives_the_current_one_unkept(client: TestClient, lab: Lab) -> None:
    old = lab.measured(lab.image(lab.project(), "a.png"), disc())
    lab.measured(old, disc(), recipe=Recipe("classical", "4", {}))
    response = client.get(f"/thumbs/{old.id}?v={old.version_id}")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-cache")


def test_a_picture_that_the_client_has_is_304(client: TestClient, lab: Lab) -> None:
    image = lab.image(lab.project(), "a.png", corpus.png(corpus.noise()))
    for address in (f"/thumbs/{image.id}?v=raw", f"/views/{image.id}.png"):
        first = client.get(address)
        etag = first.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = client.get(address, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
            assert again.headers["cache-control"] == FOREVER
        assert client.get(address, headers={"If-None-Match": '"other"'}).content == first.content


def test_a_lost_thumbnail_is_an_error_that_is_not_kept(
    client: TestClient, services: Services, lab: Lab
) -> None:
    image = lab.image(lab.project(), "a.png")
    services.blobs.path(digest(RAW)).unlink()
    response = client.get(f"/thumbs/{image.id}?v=raw")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "blob_missing")
    assert response.headers["cache-control"] == "no-store"


def test_a_raw_view_of_8_bits_is_the_image_itself(client: TestClient, lab: Lab) -> None:
    array = corpus.noise((37, 53, 3))
    image = lab.image(lab.project(), "a.png", corpus.png(array))
    response = client.get(f"/views/{image.id}.png?contrast=raw")
    assert (response.headers["content-type"], response.headers["cache-control"]) == ("image/png", FOREVER)
    np.testing.assert_array_equal(pixels(response.content), array)


def test_a_view_of_16_bits_is_stretched_unless_raw_is_asked_for(client: TestClient, lab: Lab) -> None:
    dim = (corpus.noise((64, 64), "uint16") % 200 + 100).astype(np.uint16)
    image = lab.image(lab.project(), "a.png", corpus.png(dim))
    stretched = pixels(client.get(f"/views/{image.id}.png").content)
    assert (stretched.dtype, stretched.shape) == (np.uint8, (64, 64))
    assert (stretched.min(), stretched.max()) == (0, 255)
    raw = pixels(client.get(f"/views/{image.id}.png?contrast=raw").content)
    assert np.ptp(raw) < np.ptp(stretched)
    assert (
        client.get(f"/views/{image.id}.png?contrast=stretch").content
        == client.get(f"/views/{image.id}.png").content
    )


def test_each_page_of_a_file_has_its_own_view(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    pages = np.full((2, 20, 30), [[[10]], [[90]]], np.uint8)
    one = lab.image(project, "stack.tif", corpus.tiff(pages, photometric="minisblack"))
    other = next(item for item in lab.store.images.page(project.id).items if item.id != one.id)
    seen = [pixels(client.get(f"/views/{item.id}.png?contrast=raw").content) for item in (one, other)]
    assert [int(view[0, 0]) for view in seen] == [10, 90]


def test_a_view_can_be_smaller_and_of_a_part(client: TestClient, lab: Lab) -> None:
    noise = corpus.noise((300, 600))
    image = lab.image(lab.project(), "a.png", corpus.png(noise))
    address = f"/views/{image.id}.png?contrast=raw"
    assert pixels(client.get(f"{address}&longest=300").content).shape == (150, 300)
    assert pixels(client.get(f"{address}&longest=4096").content).shape == (300, 600), "never enlarged"
    part = pixels(client.get(f"{address}&box=500,40,100,60").content)
    assert np.array_equal(part, noise[40:100, 500:600])
    whole = client.get(address)
    assert np.array_equal(pixels(whole.content), noise)
    assert whole.headers["etag"] != client.get(f"{address}&longest=300").headers["etag"]


@pytest.mark.parametrize("wrong", ["box=1,2,3", "box=500,0,200,10", "box=0,0,0,9", "box=a", "longest=1"])
def test_a_part_that_is_not_in_the_image_is_refused(client: TestClient, lab: Lab, wrong: str) -> None:
    image = lab.image(lab.project(), "a.png", corpus.png(corpus.noise((300, 600))))
    refused = client.get(f"/views/{image.id}.png?{wrong}")
    assert refused.status_code == 400
    assert refused.json()["error"]["message"]


def test_an_unknown_contrast_is_refused(client: TestClient, lab: Lab) -> None:
    image = lab.image(lab.project(), "a.png")
    response = client.get(f"/views/{image.id}.png?contrast=gamma")
    assert response.status_code == 400
    assert "Known: stretch, raw" in response.json()["error"]["message"]


def test_a_view_is_rendered_once(client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []
    genuine = pictures.view_of

    def counted(services: Services, image: Image, stretch: bool) -> np.ndarray:
        rendered.append(image.id)
        return genuine(services, image, stretch)

    monkeypatch.setattr(pictures, "view_of", counted)
    image = lab.image(lab.project(), "a.png")
    bodies = {client.get(f"/views/{image.id}.png").content for _ in range(3)}
    assert (len(bodies), rendered) == (1, [image.id])
