"""A pixel size from a line over a scale bar, for an image, a selection or the project."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import InvalidRequest
from core.models import PixelSizeMethod, PixelSizeSource, Project
from core.services import Services
from core.ui import calibration
from core.ui.calibration import um_per_px


def _calibrate(project_id: str, image_id: str, length_px: float) -> None:
    from core.services import get_services
    from core.ui import calibration
    from core.ui.components.viewer import Line

    services = get_services()
    project, image = services.store.projects.get(project_id), services.store.images.get(image_id)
    calibration.calibrate(services, project, image, Line((10.0, 20.0), (10.0 + length_px, 20.0), length_px))


def drawn(services: Services, project: Project, scope: str, ids: tuple[str, ...] = ()) -> AppTest:
    """Draw 200 px over a bar of 0.1 mm on the first image, and use that for a scope."""
    image = services.store.images.page(project.id, sort="name").items[0]
    app = AppTest.from_function(_calibrate, args=(project.id, image.id, 200.0), default_timeout=60)
    if ids:
        app.session_state[calibration._SELECTED] = (project.id, ids)
    app.run()
    assert app.button(key="use-drawn").disabled, "nothing can be used before the length is typed"
    app.number_input(key="bar-length").set_value(0.1)
    app.selectbox(key="bar-unit").set_value("mm")
    app.radio(key=f"line-scope-{image.id}").set_value(scope).run()
    assert "**0.5000 µm per pixel**" in app.markdown[0].value
    app.button(key="use-drawn").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("image", [0.5, 2.5, 2.5]), ("every", [0.5, 0.5, 0.5]), ("project", [2.5, 2.5, 2.5])],
)
def test_a_drawn_size_holds_for_what_was_chosen(
    services: Services, plate: Project, scope: str, expected: list[float]
) -> None:
    before = services.store.images.page(plate.id, sort="name").items
    drawn(services, plate, scope)
    after = services.store.images.page(plate.id, sort="name").items
    assert [item.um_per_px for item in after] == expected
    assert [item.version_id for item in after] == [item.version_id for item in before], "not segmented again"
    assert [item.largest_diameter_px for item in after] == [item.largest_diameter_px for item in before]
    changed = services.store.images.get(after[0].id)
    if scope != "project":  # the files of the demo plate name a size, which goes before the project's
        assert changed.um_per_px_source is PixelSizeSource.USER
        assert changed.um_per_px_method is PixelSizeMethod.DRAWN
    assert services.store.projects.get(plate.id).um_per_px == (None if scope == "image" else 0.5)


def test_a_drawn_size_holds_for_the_images_that_were_ticked(services: Services, plate: Project) -> None:
    ids = [item.id for item in services.store.images.page(plate.id, sort="name").items]
    drawn(services, plate, "selected", tuple(ids[:2]))
    sizes = [item.um_per_px for item in services.store.images.page(plate.id, sort="name").items]
    assert sizes == [0.5, 0.5, 2.5]


@pytest.mark.parametrize(("unit", "expected"), [("µm", 0.5), ("mm", 500.0), ("nm", 0.0005)])
def test_the_length_of_a_scale_bar_has_a_unit(unit: str, expected: float) -> None:
    assert um_per_px(100.0, unit, 200.0) == pytest.approx(expected)


@pytest.mark.parametrize(("length", "length_px"), [(0.0, 100.0), (-5.0, 100.0), (100.0, 0.0)])
def test_a_length_that_cannot_be_is_refused(length: float, length_px: float) -> None:
    with pytest.raises(InvalidRequest):
        um_per_px(length, "µm", length_px)


def test_a_size_outside_what_a_microscope_has_changes_nothing(services: Services, plate: Project) -> None:
    image = services.store.images.page(plate.id, sort="name").items[0]
    app = AppTest.from_function(_calibrate, args=(plate.id, image.id, 10.0), default_timeout=60).run()
    app.number_input(key="bar-length").set_value(1e6)
    app.radio(key=f"line-scope-{image.id}").set_value("image").run()
    app.button(key="use-drawn").click().run()
    assert "between 0.001 and 1000" in app.error[0].value
    assert services.store.images.get(image.id).um_per_px == 2.5
