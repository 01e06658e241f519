"""The list that an image was opened from; its sort and filter stand in the image's address as ``among``.

The next image is the next row of that list, and the link back leads to the page of the list with the image.
``list`` in the address stands for the visit to the list: as long as it is the same, so are the rows and their
order, whatever becomes of the images meanwhile. An address without an image opens the one opened last.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import streamlit as st

from core.errors import SpheroscopeError
from core.listing.image_query import DEFAULT_SORT
from core.models import Image, ImageFilter
from core.segmentation.confidence import doubtful
from core.services import Services
from core.store.images import Neighbours
from core.ui import image_filter
from core.ui.components.grid import PAGE_SIZES, USUAL_SIZE

_OPENED = "images opened last"  # in the session: what the address of the image was, by its project's id
_ENTRY = re.compile(r"[0-9a-z]{1,32}")
LEAST_CERTAIN_FIRST = "sort=confidence"
_NAMES = image_filter.numbers(True) | image_filter.numbers(False)


@dataclass(frozen=True, slots=True)
class ImageListPlace:
    """An image's place in its list; ``query`` is that of the page of the list that it is on."""

    place: Neighbours
    filtered: bool = False
    query: dict[str, str | list[str]] = field(default_factory=dict)


def image_list_place(services: Services, image: Image) -> ImageListPlace:
    """Return where the image stands in the list that it was opened from, or else in its project."""
    params = dict(parse_qsl(st.query_params.get("among", "")))
    sort, rows = params.pop("sort", DEFAULT_SORT), params.pop("rows", "")
    entry = st.query_params.get("list", "")
    try:
        conditions = image_filter.filter_of(params, _NAMES)
        if _ENTRY.fullmatch(entry):
            place = services.store.frozen_lists.neighbours(entry, image, sort, conditions)
        else:
            place = services.store.images.neighbours(image, sort, conditions)
    except (ValueError, SpheroscopeError):  # anybody may have written the address, or the image has changed
        return ImageListPlace(services.store.images.neighbours(image))
    size = int(rows) if rows in map(str, PAGE_SIZES) else USUAL_SIZE
    page = (place.position - 1) // size + 1
    query = _of_page(params) | ({"page": str(page)} if page > 1 else {})
    query |= {"sort": sort} if sort != DEFAULT_SORT else {}
    query |= {"rows": rows} if size != USUAL_SIZE else {}
    return ImageListPlace(place, conditions != ImageFilter(), query)


def _of_page(params: dict[str, str]) -> dict[str, str | list[str]]:
    """The API's parameters as those of the page's widgets."""
    query: dict[str, str | list[str]] = dict(params)
    if "status" in params:
        query["status"] = [image_filter.status_word(word) for word in params["status"].split(",")]
    if "review" in params:
        query["review"] = params["review"].split(",")
    if "findings" in params:
        query |= dict.fromkeys(str(query.pop("findings")).split(","), "true")
    return query


def remember_opened(image: Image) -> None:
    """Keep this image and its list as what its project opens next, as long as the visit lasts."""
    names = st.query_params.keys() & {"among", "list"}
    address = {"image": image.id} | {name: st.query_params[name] for name in names}
    st.session_state.setdefault(_OPENED, {})[image.project_id] = address


def image_to_open(services: Services, project_id: str) -> dict[str, str]:
    """Return the address of the image that a project opens where none is named, as query parameters.

    It is the image opened last in this visit; else the least certain one, if it is to be looked at; else the
    first of the table. Empty where the project has no images.
    """
    images = services.store.images
    last_opened: dict[str, str] | None = st.session_state.get(_OPENED, {}).get(project_id)
    if (
        last_opened and images.known([last_opened["image"]]).get(last_opened["image"]) is False
    ):  # it exists, and is not deleted
        return last_opened
    entry = {"list": secrets.token_hex(5)}
    least_certain = images.page(project_id, sort="confidence", limit=1).items
    if least_certain and doubtful(least_certain[0].confidence):
        return {"image": least_certain[0].id, "among": LEAST_CERTAIN_FIRST, **entry}
    newest = images.page(project_id, limit=1).items
    return {"image": newest[0].id, **entry} if newest else {}
