"""What the image viewer sends to the browser, and how it reads what comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from core.models import Contour, Spheroid
from core.segmentation.confidence import LOOK_BELOW
from core.ui.components.viewer import Selection, settle
from core.ui.components.viewer_payload import (
    MAX_PICTURE_PX,
    Comparison,
    comparison_payload,
    payload,
    pictures,
)
from core.ui.format import GAP

OUTER = ((10.0, 20.0), (30.123456, 20.0), (30.0, 44.5))
HOLE = ((12.0, 21.0), (14.0, 21.0), (14.0, 23.0))


def spheroid(number: int = 1, reasons: dict[str, str] | None = None, **measured: Any) -> Spheroid:
    values = {"equivalent_diameter": 303.2, "area": 71_900.0, "circularity": 0.9312, "solidity": 0.98}
    values |= {"touches_border": False, "n_holes": 0} | measured
    return Spheroid(number, Contour(OUTER), values, reasons or {})


def first(item: Spheroid, um_per_px: float | None = None) -> dict[str, Any]:
    built = payload(width=640, height=480, spheroids=[item], um_per_px=um_per_px)
    sent: dict[str, Any] = built["objects"][0]
    return sent


def test_outlines_are_sent_in_image_pixels_to_a_hundredth() -> None:
    assert first(spheroid())["rings"] == [[10.0, 20.0, 30.12, 20.0, 30.0, 44.5]]


def test_holes_follow_their_outline() -> None:
    item = Spheroid(1, Contour(OUTER, (HOLE,)), {"n_holes": 1})
    assert first(item)["rings"][1] == [12.0, 21.0, 14.0, 21.0, 14.0, 23.0]
    assert [flag["text"] for flag in first(item)["flags"]] == ["1 hole"]


def test_values_have_three_digits_and_the_header_has_the_unit() -> None:
    built = payload(width=640, height=480, spheroids=[spheroid()], um_per_px=2.0)
    assert [(column["label"], column["unit"]) for column in built["columns"]] == [
        ("Ø", "µm"),
        ("Area", "µm²"),
        ("Circ.", ""),
        ("Solidity", ""),
        ("Conf.", ""),
    ]
    texts = [cell["text"] for cell in built["objects"][0]["cells"]]
    assert texts == ["606", f"288{GAP}000", "0.931", "0.980", "–"]


def test_headings_say_in_everyday_words_what_a_number_means() -> None:
    titles = {
        item["label"]: item["title"]
        for item in payload(width=9, height=9, spheroids=[], um_per_px=None)["columns"]
    }
    assert titles["Circ."].startswith("Circularity: 1 for a disc; smaller the more the outline is drawn out")
    assert f"below {LOOK_BELOW:g} somebody should look" in titles["Conf."]


def test_without_a_pixel_size_everything_is_in_pixels() -> None:
    built = payload(width=640, height=480, spheroids=[spheroid()], um_per_px=None)
    assert [column["unit"] for column in built["columns"]][:2] == ["px", "px²"]
    assert built["objects"][0]["cells"][0]["text"] == "303"
    assert built["umPerPx"] is None


def test_an_unknown_value_says_why() -> None:
    item = spheroid(circularity=None, solidity=None, reasons={"circularity": "too few pixels"})
    _, _, circularity, solidity, _ = first(item)["cells"]
    assert circularity == {"text": "–", "title": "too few pixels"}
    assert solidity == {"text": "–", "title": "could not be computed"}


def test_each_spheroid_has_its_confidence_and_a_doubtful_one_a_mark() -> None:
    doubtful = first(replace(spheroid(), confidence=0.5432))["cells"][-1]
    assert (doubtful["text"], doubtful["kind"]) == ("▲ 0.54", "warn")
    assert "Look at this" in doubtful["title"]
    assert first(replace(spheroid(), confidence=0.95))["cells"][-1] == {"text": "0.95", "title": ""}


def test_the_word_confidence_is_explained_where_it_stands() -> None:
    built = payload(width=64, height=48, spheroids=[replace(spheroid(), confidence=0.9)], um_per_px=None)
    assert "the outline that a person would draw" in built["explained"]
    drawn_by_hand = payload(width=64, height=48, spheroids=[spheroid()], um_per_px=None)
    assert drawn_by_hand["explained"] == "", "there is no confidence to explain"


def test_the_other_result_of_a_comparison_is_sent_as_outlines_with_both_names() -> None:
    sent = comparison_payload(Comparison([spheroid()], "Current", "Preview"))
    outline = [10.0, 20.0, 30.12, 20.0, 30.0, 44.5]
    assert sent == {"outlines": [[outline]], "before": "Current", "after": "Preview"}
    assert comparison_payload(None) is None


def test_a_spheroid_cut_by_the_border_is_flagged_in_words() -> None:
    item = first(spheroid(touches_border=True, n_holes=2))
    assert item["border"] is True
    assert "may be cut off" in item["title"]
    assert [(flag["text"], flag["kind"]) for flag in item["flags"]] == [
        ("at the edge", "warn"),
        ("2 holes", "note"),
    ]


def test_an_image_without_spheroids_and_missing_measurements_can_be_sent() -> None:
    assert payload(width=1, height=1, spheroids=[], um_per_px=None)["objects"] == []
    assert [cell["text"] for cell in first(Spheroid(9, Contour(()), {}))["cells"]] == ["–"] * 5


def test_the_payload_is_json() -> None:
    json.dumps(payload(width=640, height=480, spheroids=[spheroid()], um_per_px=1.36), allow_nan=False)


def clicked(number: int | None, image: str = "a", turn: int = 0) -> dict[str, Any]:
    return {"image": image, "turn": turn, "number": number}


def test_the_first_run_takes_what_the_page_says() -> None:
    assert settle(None, "a", 3, None) == Selection("a", argument=3, imposed=3, number=3)


def test_a_click_wins_and_imposes_nothing() -> None:
    after = settle(settle(None, "a", None, None), "a", None, clicked(2))
    assert (after.number, after.imposed, after.turn) == (2, None, 0)


def test_a_page_that_repeats_the_last_click_does_not_undo_the_next_one() -> None:
    start = settle(None, "a", None, None)
    one = settle(start, "a", None, clicked(3))
    two = settle(one, "a", 3, clicked(4))  # the page's 3 is the echo of the first click
    three = settle(two, "a", 4, clicked(4))
    assert [one.number, two.number, three.number] == [3, 4, 4]
    assert three.turn == start.turn


def test_a_page_that_always_says_none_does_not_undo_clicks() -> None:
    one = settle(settle(None, "a", None, None), "a", None, clicked(3))
    assert settle(one, "a", None, clicked(3)).number == 3


def test_a_new_wish_of_the_page_is_imposed() -> None:
    one = settle(settle(None, "a", None, None), "a", None, clicked(3))
    two = settle(one, "a", 7, clicked(3))
    assert (two.number, two.imposed, two.turn) == (7, 7, 1)
    # A click from before the page spoke arrives late.
    assert settle(two, "a", 7, clicked(5, turn=0)).number == 7


def test_a_click_on_the_image_before_selects_nothing_on_this_one() -> None:
    one = settle(settle(None, "a", None, None), "a", None, clicked(3))
    two = settle(one, "b", None, clicked(3))
    assert (two.number, two.turn) == (None, 1)
    assert settle(two, "b", None, clicked(4)).number is None


def test_a_viewer_drawn_afresh_is_told_the_selection_again() -> None:
    one = settle(settle(None, "a", None, None), "a", None, clicked(3))
    echoed = settle(one, "a", 3, clicked(3))
    back = settle(echoed, "a", 3, None)
    assert (back.imposed, back.number, back.turn) == (3, 3, 1)


def test_a_very_large_image_is_shown_by_a_smaller_picture() -> None:
    assert pictures("/a?c=1", "/b?c=2", MAX_PICTURE_PX) == {
        "urls": {"raw": "/a?c=1", "contrast": "/b?c=2"},
        "shrink": 1,
    }
    large = pictures("/a?c=1", "/b?c=2", 2 * MAX_PICTURE_PX)
    assert large["shrink"] == 2
    assert large["urls"] == {
        "raw": f"/a?c=1&longest={MAX_PICTURE_PX}",
        "contrast": f"/b?c=2&longest={MAX_PICTURE_PX}",
    }
