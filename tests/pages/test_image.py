from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import SegmentationError, VersionConflict
from core.models import PixelSizeMethod, PixelSizeSource, Project, ReviewState, Verdict
from core.services import Services
from core.store import Recipe
from core.ui import image_list
from tests.pages.conftest import PAGES, Open, texts
from tests.polling import wait_until


def first(services: Services, project: Project) -> str:
    return services.store.images.page(project.id, sort="name").items[0].id


def test_a_project_without_images_sends_to_images(open_page: Open, services: Services) -> None:
    services.create_project("Empty")
    page = open_page("image.py")
    assert not page.exception
    assert "This project has no images yet" in texts(page)
    assert [button.label for button in page.button] == ["Go to images"]


def test_without_an_image_the_one_opened_last_is_shown(
    open_page: Open, plate: Project, services: Services
) -> None:
    image_id = services.store.images.page(plate.id).items[2].id
    page = open_page("image.py", image=image_id)
    open_by_sidebar(page)
    assert page.query_params["image"] in (image_id, [image_id])
    services.store.images.delete(plate.id, [image_id])
    open_by_sidebar(page)
    assert "1 of 2" in texts(page), "the one opened last has been deleted"


def test_without_an_image_the_least_certain_is_shown_that_is_to_be_looked_at(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = services.store.images.page(plate.id, sort="confidence").items[0]
    newest = services.store.images.page(plate.id).items[0]
    assert open_page("image.py").query_params["image"] in (newest.id, [newest.id])
    monkeypatch.setattr(image_list, "doubtful", lambda confidence: confidence == least.confidence)
    page = open_page("image.py")
    assert page.query_params["image"] in (least.id, [least.id])
    assert page.query_params["among"] in ("sort=confidence", ["sort=confidence"])
    assert "1 of 3" in texts(page)


def test_an_image_that_is_gone_is_said_to_be(open_page: Open) -> None:
    page = open_page("image.py", image="0" * 32)
    assert "does not exist" in page.error[0].value


def test_image_tells_its_state_its_size_and_its_pixel_size(
    open_page: Open, plate: Project, services: Services
) -> None:
    page = open_page("image.py", image=first(services, plate))
    assert not page.exception
    shown = texts(page)
    assert "1 spheroid" in shown
    assert "Pixel size 2.5000 µm/px" in shown
    assert "OME" in shown
    assert "384×384 px · 12 bits" in shown


def test_pixel_size_is_set_and_taken_back(open_page: Open, plate: Project, services: Services) -> None:
    image_id = first(services, plate)
    page = open_page("image.py", image=image_id)
    next(item for item in page.number_input if item.label == "µm per pixel").set_value(0.65)
    next(item for item in page.radio if item.label == "Use for").set_value("image").run()
    press(page, "Use this size", key="use-size")
    image = services.store.images.get(image_id)
    assert (image.um_per_px, image.um_per_px_source) == (0.65, PixelSizeSource.USER)
    assert image.um_per_px_method is PixelSizeMethod.TYPED
    assert "typed by a user" in texts(page)
    press(page, "Back to the file's or the project's")
    image = services.store.images.get(image_id)
    assert (image.um_per_px, image.um_per_px_method) == (2.5, None)


def test_next_image_is_one_click_away(open_page: Open, plate: Project, services: Services) -> None:
    newest = services.store.images.page(plate.id).items
    page = open_page("image.py", image=newest[0].id)
    page.button(key="next").click().run()
    assert page.query_params["image"] in (newest[1].id, [newest[1].id])
    assert "2 of 3" in texts(page)


def test_the_next_image_is_the_next_row_of_the_list_it_was_opened_from(
    open_page: Open, plate: Project, services: Services
) -> None:
    by_name = services.store.images.page(plate.id, sort="name").items
    page = open_page("image.py", image=by_name[0].id, among="sort=name&status=done&rows=25")
    assert "1 of 3 on this filter" in texts(page)
    page.button(key="next").click().run()
    assert page.query_params["image"] in (by_name[1].id, [by_name[1].id])
    assert "2 of 3 on this filter" in texts(page)
    assert page.query_params["among"] in ("sort=name&status=done&rows=25", ["sort=name&status=done&rows=25"])


@pytest.mark.parametrize(
    "among", ["sort=bogus", "status=bogus", "objects_min=many", "name=none", "&&=", "rows=7"]
)
def test_a_list_that_cannot_be_or_lacks_the_image_is_its_project(
    open_page: Open, plate: Project, services: Services, among: str
) -> None:
    page = open_page("image.py", image=services.store.images.page(plate.id).items[1].id, among=among)
    assert not page.exception
    assert "2 of 3" in texts(page)
    assert "on this filter" not in texts(page)


def test_image_is_segmented_again(open_page: Open, plate: Project, services: Services) -> None:
    image_id = first(services, plate)
    page = open_page("image.py", image=image_id)
    next(button for button in page.button if button.label == "Re-segment").click().run()
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    assert services.store.images.get(image_id).n_objects == 1


def test_other_settings_are_seen_before_they_are_kept(
    open_page: Open, plate: Project, services: Services
) -> None:
    image = services.store.images.page(plate.id, sort="name").items[0]
    page = open_page("image.py", image=image.id)
    widget = next(item for item in page.number_input if item.label.startswith("Min diameter"))
    widget.set_value(300.0)
    press(page, "Preview")
    shown = texts(page)
    assert "**Preview: 0 spheroids** (current result: 1)" in shown
    assert "nothing is saved yet" in shown
    assert "● done" not in shown, "a preview has its own status in place of the result's"
    assert services.store.images.get(image.id).n_objects == 1
    press(page, "Use for this image", key="use-here")
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    assert services.store.images.get(image.id).n_objects == 0
    assert services.store.projects.get(plate.id).params == {}


def test_settings_are_used_for_the_whole_project(open_page: Open, plate: Project, services: Services) -> None:
    page = open_page("image.py", image=first(services, plate))
    next(item for item in page.number_input if item.label.startswith("Min diameter")).set_value(300.0)
    press(page, "Preview")
    press(page, "Use for all 3 images", key="use-everywhere")
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    assert [item.n_objects for item in services.store.images.page(plate.id).items] == [0, 0, 0]
    assert services.store.projects.get(plate.id).params["min_diameter_px"] == 300.0


def accept(page: AppTest, services: Services, **values: float) -> None:
    """Try settings on the page's image and use them for it; "min_diameter_px" is the only one here."""
    widget = next(item for item in page.number_input if item.label.startswith("Min diameter"))
    widget.set_value(values["min_diameter_px"])
    press(page, "Preview")
    press(page, "Use for this image", key="use-here")
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    page.run()


def test_what_was_accepted_for_an_image_is_not_undone_by_segmenting_again(
    open_page: Open, plate: Project, services: Services
) -> None:
    image_id = first(services, plate)
    page = open_page("image.py", image=image_id)
    accept(page, services, min_diameter_px=300.0)
    assert services.store.images.get(image_id).n_objects == 0
    (again,) = [button for button in page.button if button.label == "Re-segment"]
    assert again.help == "By its own settings: unet with min diameter px 300.0"
    press(page, "Re-segment")
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    assert services.store.images.get(image_id).n_objects == 0
    assert "**Settings of its own:**" in texts(page.run())
    press(page, "Use the project's settings")
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    image = services.store.images.get(image_id)
    assert (image.n_objects, image.own_engine) == (1, None)
    (again,) = [button for button in page.run().button if button.label == "Re-segment"]
    assert again.help == "By the project's settings: unet, default settings"


def test_settings_for_the_whole_project_ask_about_images_with_their_own(
    open_page: Open, plate: Project, services: Services
) -> None:
    one, other = services.store.images.page(plate.id, sort="name").items[:2]
    page = open_page("image.py", image=one.id)
    accept(page, services, min_diameter_px=300.0)
    page.query_params["image"] = other.id
    page.run()
    next(item for item in page.number_input if item.label.startswith("Min diameter")).set_value(1.0)
    press(page, "Preview")
    press(page, "Use for all 3 images")
    shown = texts(page)
    assert "All 3 images of “Plate 1” will be segmented again." in shown
    (choice,) = [item for item in page.radio if item.key == "own-settings"]
    assert choice.label == "1 image has settings of its own."
    assert services.store.projects.get(plate.id).params == {}, "nothing changes before the answer"
    assert services.store.jobs.totals().left == 0


def test_undo_brings_the_result_and_the_settings_before_back(
    open_page: Open, plate: Project, services: Services
) -> None:
    image_id = first(services, plate)
    page = open_page("image.py", image=image_id)
    assert "Undo" not in [button.label for button in page.button]
    accept(page, services, min_diameter_px=300.0)
    accepted = services.store.images.get(image_id).version_id
    press(page, "Undo")
    image = services.store.images.get(image_id)
    assert (image.n_objects, image.own_engine) == (1, None)
    press(page, "Go back to this one", key=f"back-{accepted}")
    image = services.store.images.get(image_id)
    assert (image.version_id, image.n_objects) == (accepted, 0)
    assert image.own_params is not None
    assert image.own_params["min_diameter_px"] == 300.0
    assert len(services.store.results.versions(image_id)) == 2, "going back adds and deletes nothing"


def test_going_back_refuses_where_the_result_has_changed_meanwhile(
    open_page: Open, plate: Project, services: Services
) -> None:
    image_id = first(services, plate)
    page = open_page("image.py", image=image_id)
    accept(page, services, min_diameter_px=300.0)
    image = services.store.images.get(image_id)
    before = next(item for item in services.store.results.versions(image_id) if item.id != image.version_id)
    services.requests.restore_version(plate, image, before)
    with pytest.raises(VersionConflict):
        services.requests.restore_version(plate, image, before)


def test_the_history_names_each_version_and_compares_it(
    open_page: Open, plate: Project, services: Services
) -> None:
    page = open_page("image.py", image=first(services, plate))
    accept(page, services, min_diameter_px=300.0)
    shown = texts(page)
    assert "unet with min diameter px 300\\.0 · 0 spheroids" in shown
    assert "unet, default settings · 1 spheroid · confidence" in shown
    press(page, "Compare")
    assert [button.label for button in page.button].count("Stop") == 1


def test_the_history_lists_what_people_did(open_page: Open, plate: Project, services: Services) -> None:
    image = services.store.images.get(first(services, plate))
    page = open_page("image.py", image=image.id)
    assert not page.expander or "by people" not in page.expander[0].label
    for _ in range(6):
        verdict = Verdict(ReviewState.EXCLUDED, "debris")
        services.reviews.judge(image.id, image.version_id, verdict, "*ada*")
        services.reviews.take_back(image.id, image.version_id, "*ada*")
    page.run()
    assert not page.exception
    (panel,) = [item for item in page.expander if "by people" in item.label]
    assert panel.label == "12 changes by people"
    shown = [item.value for item in panel.caption]
    assert len(shown) == 10
    assert [text.replace("\\", "") for text in shown[:2]] == [
        "Took “excluded” back: unseen again",
        "Reviewed: excluded. Reason: debris",
    ]
    assert panel.markdown[0].value.startswith("**\\*ada\\*** · ")
    page.pagination[0].set_value(2).run()
    (panel,) = [item for item in page.expander if "by people" in item.label]
    assert len(panel.caption) == 2


def open_by_sidebar(page: AppTest) -> None:
    """Go to another page and from there to Image, as the sidebar's links do: without parameters."""
    for name in ("images.py", "image.py"):
        page.query_params.clear()
        page.switch_page(str(PAGES / name)).run()
        assert not page.exception


def press(page: AppTest, label: str, key: str | None = None) -> None:
    buttons = [item for item in page.button if item.label == label and key in (None, item.key)]
    buttons[0].click().run()
    assert not page.exception


def test_a_failed_try_is_said_beside_the_result_before_it(
    open_page: Open, plate: Project, services: Services
) -> None:
    services.queue.drain(5)
    image_id = first(services, plate)
    services.store.jobs.enqueue(plate.id, [image_id], Recipe("other", "1", {}))
    job = services.store.jobs.claim("boot", "worker 1")
    assert job is not None
    services.store.jobs.fail(job, SegmentationError("It would not be outlined."))
    page = open_page("image.py", image=image_id)
    assert not page.exception
    (warning,) = [item.value for item in page.warning if "last try failed" in item.value]
    assert "It would not be outlined" in warning
    assert not page.error
