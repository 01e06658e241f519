"""Watched folders: each file once, when it is complete, also over restarts; what cannot be taken is said."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.accounts import Level, Role
from core.errors import InvalidRequest, NotAllowed
from core.models import Project, UploadState
from core.services import Services
from core.settings import Settings
from core.uploads.watched_folders import WatchedFolders
from tests import corpus

pytestmark = pytest.mark.slow

PNG = corpus.png(corpus.noise())


@pytest.fixture
def project(services: Services) -> Project:
    services.queue.drain(5)
    return services.create_project("Melanoma")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "instruments" / "Melanoma" / "day 3"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def watched(services: Services, folder: Path) -> WatchedFolders:
    return WatchedFolders(folder.parent.parent, services.store, services.uploads)


def names(services: Services, project: Project) -> list[str]:
    return sorted(image.name for image in services.store.images.page(project.id).items)


def test_a_file_is_taken_once_when_it_does_not_grow_any_more(
    services: Services, project: Project, folder: Path, watched: WatchedFolders
) -> None:
    (folder / "A1.png").write_bytes(PNG[:100])
    watched.run()
    (folder / "A1.png").write_bytes(PNG)
    watched.run()
    assert names(services, project) == [], "it has changed since the last turn"
    for _ in range(3):
        watched.run()
    assert names(services, project) == ["day 3/A1.png"]
    assert (folder / "A1.png").read_bytes() == PNG, "the instrument's file stays"
    (upload,) = services.uploads.listed(project.id)
    assert (upload.state, upload.batch) == (UploadState.STORED, "watched folder")
    again = WatchedFolders(folder.parent.parent, services.store, services.uploads)
    for _ in range(3):
        again.run()
    assert len(services.uploads.listed(project.id)) == 1, "a restart takes nothing again"


def test_what_cannot_be_taken_is_said_and_taken_when_it_has_changed(
    services: Services, project: Project, folder: Path, watched: WatchedFolders
) -> None:
    (folder / "bad.png").write_bytes(corpus.html())
    for _ in range(3):
        watched.run()
    (upload,) = services.uploads.listed(project.id)
    assert (upload.state, upload.code) == (UploadState.REFUSED, "not_an_image")
    (folder / "bad.png").write_bytes(PNG)
    for _ in range(2):
        watched.run()
    assert names(services, project) == ["day 3/bad.png"]


def test_a_file_that_cannot_be_read_yet_says_so_and_is_tried_again(
    services: Services,
    project: Project,
    folder: Path,
    watched: WatchedFolders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "A1.png").write_bytes(PNG)
    watched.run()
    open_file = Path.open

    def locked(path: Path, mode: str = "r", **options: Any) -> object:
        if path.name == "A1.png":
            raise PermissionError(13, "Permission denied")
        return open_file(path, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", locked)
        watched.run()
    (upload,) = services.uploads.listed(project.id)
    assert upload.state is UploadState.WAITING
    assert upload.message is not None
    assert "Permission denied" in upload.message
    watched.run()
    assert names(services, project) == ["day 3/A1.png"]


def test_only_images_below_the_projects_own_folder_are_taken(
    services: Services, project: Project, folder: Path, watched: WatchedFolders, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    os.symlink(secret, folder / "link.png")
    os.symlink(tmp_path, folder / "elsewhere")
    (folder / "notes.txt").write_text("for myself")
    (folder / ".hidden.png").write_bytes(PNG)
    for name in ("..", "."):
        services.create_project(name)
    for _ in range(3):
        watched.run()
    assert [project.n_images for project in services.store.projects.list()] == [0, 0, 0]


def test_nothing_is_watched_without_the_setting(services: Services, project: Project) -> None:
    nothing = WatchedFolders(None, services.store, services.uploads)
    nothing.run()
    assert services.uploads.listed(project.id) == ()


def root_of(folder: Path) -> Path:
    return folder.parent.parent


def test_a_status_says_which_folder_and_what_it_took_in_last(
    services: Services, project: Project, folder: Path, watched: WatchedFolders
) -> None:
    (folder / "A1.png").write_bytes(PNG)
    (folder / "A2.png").write_bytes(b"no image")
    for _ in range(3):
        watched.run()
    services.uploads.dismiss(project.id)
    status = watched.status(project.id)
    assert (status.root, status.folder, status.is_on, status.problem) == (
        root_of(folder),
        "Melanoma",
        True,
        "",
    )
    assert {upload.path: upload.state for upload in status.latest} == {
        "day 3/A1.png": UploadState.STORED,
        "day 3/A2.png": UploadState.REFUSED,
    }


def test_another_folder_is_watched_once_it_is_chosen_and_none_where_it_is_switched_off(
    services: Services, project: Project, folder: Path, watched: WatchedFolders
) -> None:
    other = root_of(folder) / "confocal" / "run 7"
    other.mkdir(parents=True)
    (folder / "A1.png").write_bytes(PNG)
    (other / "B1.png").write_bytes(corpus.png(corpus.noise(seed=5)))
    watched.choose(project.id, "confocal/run 7", "Ana")
    for _ in range(3):
        watched.run()
    assert names(services, project) == ["B1.png"], "the folder of its name is not watched any more"
    watched.choose(project.id, None, "Ana")
    (other / "B2.png").write_bytes(PNG)
    for _ in range(3):
        watched.run()
    assert names(services, project) == ["B1.png"]
    assert not watched.status(project.id).is_on


def test_a_folder_that_cannot_be_read_is_told_in_words(
    project: Project, folder: Path, watched: WatchedFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.choose(project.id, "confocal", "Ana")
    watched.run()
    assert "is not there. Make it, or connect the drive" in watched.status(project.id).problem
    (root_of(folder) / "confocal").write_bytes(b"")
    watched.run()
    assert "is a file, not a folder" in watched.status(project.id).problem
    (root_of(folder) / "confocal").unlink()
    (root_of(folder) / "confocal").mkdir()

    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)  # root may read everything
    assert "cannot be read: permission denied" in watched.status(project.id).problem


@pytest.mark.parametrize("name", ["..", "../else", "/etc", ".hidden", "", "a/../..", "link"])
def test_no_folder_of_the_computer_can_be_chosen_but_those_below_the_root(
    project: Project, folder: Path, watched: WatchedFolders, name: str, tmp_path: Path
) -> None:
    (root_of(folder) / "link").symlink_to(tmp_path)
    with pytest.raises(InvalidRequest, match="below"):
        watched.choose(project.id, name, "Ana")
    assert watched.status(project.id).folder == "Melanoma"


def test_without_the_setting_nothing_is_watched_and_nothing_can_be_chosen(
    services: Services, project: Project
) -> None:
    assert services.watched.status(project.id).root is None
    with pytest.raises(InvalidRequest):
        services.watched.choose(project.id, "Melanoma", "Ana")


def test_nobody_gets_anothers_images_by_the_name_of_their_project(
    services: Services, project: Project, folder: Path, watched: WatchedFolders
) -> None:
    ana, eve = (services.access.accounts.create(name, Role.MEMBER).id for name in ("ana", "eve"))
    services.access.members.set_level(project.id, ana, Level.OWN)
    (folder / "A1.png").write_bytes(PNG)
    others = [
        services.store.projects.create(name, "unet", owner=eve) for name in (project.name, "Melanoma/day 3")
    ]
    for _ in range(3):
        watched.run()
    assert names(services, project) == ["day 3/A1.png"]
    for other in others:
        assert names(services, other) == []
        assert not watched.status(other.id).is_on


def test_with_accounts_admins_alone_choose_a_folder(data_folder: Path, tmp_path: Path) -> None:
    settings = Settings(data=data_folder, auth="local", watched_root=str(tmp_path))
    services = Services.open(replace(settings, container_memory_limit_mb=16_384))
    access = services.access
    for name, role in (("boss", Role.ADMIN), ("eve", Role.MEMBER)):
        access.accounts.create(name, role)
    eve, boss = access.by_name("eve"), access.by_name("boss")
    assert eve is not None
    assert boss is not None
    made = services.for_caller(eve).create_project("Mine")
    with pytest.raises(NotAllowed, match="An admin can change it"):
        services.for_caller(eve).watched.choose(made.id, "Melanoma", "eve")
    services.for_caller(boss).watched.choose(made.id, "Melanoma", "boss")
    assert services.for_caller(eve).watched.status(made.id).folder == "Melanoma"
    services.close()
