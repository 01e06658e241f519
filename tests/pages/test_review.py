"""The Review page as Streamlit runs it; what its buttons and keys say is tried in Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from core.corrections import NewRegion, Tool
from core.corrections.accuracy import Accuracy, Estimate
from core.corrections.gestures import Gesture
from core.corrections.review import Turn
from core.models import Project, ReviewState, Verdict
from core.services import Services
from core.ui import review_panel, visitor
from core.ui.components.review_desk import ReviewAction
from core.ui.review_words import finished_words, left_words
from tests.pages.conftest import Open, texts


def waiting_ids(services: Services, project: Project) -> list[str]:
    return [item.image_id for item in services.reviews.queue(project.id, "nobody").waiting]


def one(page: Any, name: str) -> str:
    found = page.query_params[name]
    return found if isinstance(found, str) else found[0]


def test_the_image_that_is_looked_at_stands_in_the_address(
    open_page: Open, plate: Project, services: Services
) -> None:
    order = waiting_ids(services, plate)
    page = open_page("review.py")
    assert not page.exception
    assert "Review of Plate 1" in texts(page)
    assert one(page, "image") == order[0]
    assert one(open_page("review.py", image=order[2]), "image") == order[2], "a reload shows it again"


def test_a_project_without_results_says_what_comes_next(open_page: Open, services: Services) -> None:
    services.create_project("Empty")
    page = open_page("review.py")
    assert "This project has no images yet" in texts(page)
    assert [button.label for button in page.button] == ["Go to images"]


def test_the_end_says_what_was_said_and_offers_what_was_unsure(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "name", lambda services: "ada")
    states = (ReviewState.RIGHT, ReviewState.EXCLUDED, ReviewState.UNSURE)
    for image, state in zip(services.store.images.page(plate.id).items, states, strict=True):
        reason = "debris" if state is ReviewState.EXCLUDED else ""
        services.reviews.judge(image.id, image.version_id, Verdict(state, reason), "ada")
    page = open_page("review.py")
    shown = texts(page)
    assert "All 3 images are reviewed" in shown
    assert "1 right, 1 excluded, 1 unsure" in shown
    next(button for button in page.button if button.label.startswith("Look again")).click().run()
    assert not page.exception
    assert "image" in page.query_params


def test_others_are_asked_of_what_somebody_was_unsure_of(
    open_page: Open, plate: Project, services: Services
) -> None:
    for image in services.store.images.page(plate.id).items:
        services.reviews.judge(image.id, image.version_id, Verdict(ReviewState.UNSURE), "somebody else")
    assert "Review of Plate 1" in texts(open_page("review.py"))


def test_who_may_only_look_is_told_so(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "may_edit", lambda services, project: False)
    page = open_page("review.py")
    assert "You can look at this project, but not review it" in texts(page)
    assert services.reviews.turn(plate.id, review_panel.Reviewer("ada")).elsewhere == 0


def test_a_result_that_came_meanwhile_is_shown_and_the_verdict_on_the_old_one_refused(
    open_page: Open, plate: Project, services: Services
) -> None:
    page = open_page("review.py")
    image_id = one(page, "image")
    memory = page.session_state["review"][plate.id]
    assert memory.message == ""
    action = ReviewAction(image_id, "an older version", "right", "", 3.0)
    with pytest.raises(Exception, match="another result"):
        services.reviews.judge(action.image_id, action.version_id, Verdict(ReviewState.RIGHT), "x")
    assert services.store.images.get(image_id).review == "unseen"


def test_undo_pressed_twice_on_one_page_takes_back_one_verdict(
    plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = review_panel.Memory()
    monkeypatch.setattr(review_panel, "memory_of", lambda project: memory)
    monkeypatch.setattr(review_panel.st, "query_params", {})
    monkeypatch.setattr(visitor, "name", lambda services: "ada")
    for image in services.store.images.page(plate.id).items[:2]:
        services.reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
        memory.judged.append((image.id, image.version_id))
    drawn = memory.judged[-1]
    review_panel._undo_once(services, plate, drawn)
    review_panel._undo_once(services, plate, drawn)
    states = [image.review for image in services.store.images.page(plate.id).items[:2]]
    assert states == ["right", "unseen"]
    assert len(memory.judged) == 1


def progress(**states: int) -> dict[ReviewState, int]:
    return dict.fromkeys(ReviewState, 0) | {ReviewState(name): n for name, n in states.items()}


def test_words_count_what_is_left_and_tell_the_pace_once_it_is_known() -> None:
    turn = Turn(None, None, 62, 1, progress(right=30, excluded=4, unseen=62))
    assert left_words(turn, [5.0]) == "34 of 96 reviewed · 62 left · somebody else looks at 1 other now"
    assert "62 left, about 6 min at your pace" in left_words(turn, [5.0] * 5)


def test_the_end_tells_the_share_that_is_right_with_its_interval_or_that_it_is_not_known() -> None:
    turn = Turn(None, None, 0, 0, progress(right=90, corrected=6))
    nothing = Estimate(None)
    many = Accuracy(12, Estimate(11 / 12, 0.646, 0.985), nothing, nothing)
    assert finished_words(turn, many) == (
        "All 96 images are reviewed",
        "90 right, 6 corrected. Of 12 drawn at random 11 were right (95 % interval 65 to 98 %).",
    )
    few = Accuracy(2, Estimate(0.5), nothing, nothing)
    assert "too few to judge the others by" in finished_words(turn, few)[1]
    assert "nothing is known" in finished_words(turn, Accuracy(0, nothing, nothing, nothing))[1]


def test_what_is_expected_of_an_image_is_set_on_the_page(
    open_page: Open, plate: Project, services: Services
) -> None:
    page = open_page("review.py")
    next(item for item in page.segmented_control if "expected" in item.label).set_value("several").run()
    assert not page.exception
    assert services.store.projects.get(plate.id).review.spheroids_expected == "several"
    reasons = [why for item in services.reviews.queue(plate.id, "x").waiting for why in item.reasons]
    assert "one spheroid was found where several are expected" in reasons


def test_an_images_page_says_what_was_said_of_it(open_page: Open, plate: Project, services: Services) -> None:
    image = services.store.images.page(plate.id).items[0]
    assert "excluded by" not in texts(open_page("image.py", image=image.id))
    services.reviews.judge(image.id, image.version_id, Verdict(ReviewState.EXCLUDED, "debris"), "ada")
    assert "excluded by ada: debris" in texts(open_page("image.py", image=image.id))


def test_a_finished_correction_leads_back_to_the_review(
    open_page: Open, plate: Project, services: Services
) -> None:
    image = services.store.images.page(plate.id).items[0]
    gesture = Gesture("a", image.version_id, 0, Tool.DELETE, 1, (NewRegion(1, None),))
    services.corrections.apply(image.id, gesture, "ada")
    assert "Back to the review" in links(open_page("image.py", image=image.id, back="review"))
    services.corrections.finish(image.id, 1, image.version_id, "ada", "debris")
    page = open_page("image.py", image=image.id, back="review")
    assert not page.exception
    assert "Review of Plate 1" in texts(page)


def links(page: Any) -> list[str]:
    return [element.proto.label for element in page.get("page_link")]
