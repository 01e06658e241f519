"""Which image of a project a file of outlines means: by path and page, else by folder, else by name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.errors import InvalidRequest
from core.files.file_names import MAX_NAME, file_name

ENDINGS = ("_seg", "_cp_masks", "_masks", "_mask", "_labels", "_rois")  # that programs add to an image's name
_PAGE = re.compile(r"(?P<file>.+)#(?P<page>\d{1,6})")
_NO_IMAGE = "There is no image of this name in the project."


@dataclass(frozen=True, slots=True)
class NameForm:
    """A name in lower case without extension; ``page`` is None of a file that is one image."""

    folders: tuple[str, ...]
    stem: str
    page: int | None

    @property
    def exported(self) -> str:
        """The stem that this app's archives give the mask of such an image."""
        page = "" if self.page is None else f"_{self.page}"
        return file_name("/".join((*self.folders, self.stem)) + page, MAX_NAME // 2)


@dataclass(frozen=True, slots=True)
class _Known:
    image_id: str
    name: str  # in lower case
    form: NameForm


class ImageNames:
    """The images of a project by what files of outlines may call them."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """``names``: the id and the name of each image, which ends in ``#2`` for a page of several."""
        self._by_stem: dict[str, list[_Known]] = defaultdict(list)
        for image_id, name in names:
            cleaned = _clean(name)
            form = _form(*_file_and_page(cleaned))
            self._by_stem[form.stem].append(_Known(image_id, cleaned, form))

    def find(self, picture: str) -> str:
        """Return the id of the image that a picture of this name outlines.

        Raises:
            InvalidRequest: none has this name, or several have.
        """
        for images in self._candidates(picture):
            if len(images) > 1:
                raise InvalidRequest(_ambiguous(images))
            if images:
                return images[0].image_id
        raise InvalidRequest(self._unknown(picture))

    def _candidates(self, picture: str) -> Iterator[Sequence[_Known]]:
        """Yield the images that it may mean, from the surest way to tell on."""
        forms = name_forms(picture)
        of_stem = [self._by_stem.get(form.stem, ()) for form in forms]
        yield [item for item in of_stem[0] if item.name == _clean(picture)]
        same_page = [
            [item for item in images if item.form.page == form.page]
            for form, images in zip(forms, of_stem, strict=True)
        ]
        for form, images in zip(forms, same_page, strict=True):
            yield [item for item in images if item.form.folders == form.folders]
        for form in forms:
            yield [item for item in self._ending_like(form.stem) if item.form.exported == form.exported]
        for form, images in zip(forms, same_page, strict=True):
            yield _nearest(form.folders, images)

    def _ending_like(self, stem: str) -> Iterator[_Known]:
        """Images whose stem may be in another one, behind the names of folders and before that of a page."""
        parts = [name.split("_") for name in (stem, re.sub(r"_\d+$", "", stem))]
        for ending in {"_".join(name[start:]) for name in parts for start in range(len(name))}:
            yield from self._by_stem.get(ending, ())

    def _unknown(self, picture: str) -> str:
        """Say why there is none: often the page is what does not fit."""
        for form in name_forms(picture):
            known = self._by_stem.get(form.stem)
            if known and form.page is not None:
                return f"There is no page {form.page} of an image of this name in the project."
            if known:
                return (
                    f"The image of this name has {len(known)} pages. Name the page, as in {form.stem}#2.png, "
                    "or give a TIFF with as many pages."
                )
        return _NO_IMAGE


def name_forms(picture: str) -> list[NameForm]:
    """What a file of outlines may mean: its own name, then that without what programs add."""
    path, page = _file_and_page(_clean(picture))
    own = _form(path, page)
    ending = next((item for item in ENDINGS if own.stem.endswith(item)), "")
    forms = [own]
    if ending and own.stem != ending:
        forms.append(NameForm(own.folders, own.stem.removesuffix(ending), page))
    inner, inner_page = _file_and_page(forms[-1].stem)
    if page is None and inner_page is not None:
        # the extension of the image's file may stand before its page: a.tif#2.png
        stem = re.sub(r"\.(tiff?|png|jpe?g|bmp)$", "", inner)
        forms.append(NameForm(own.folders, stem, inner_page))
    return forms


def _clean(name: str) -> str:
    return name.replace("\\", "/").lower().strip("/")


def _file_and_page(name: str) -> tuple[str, int | None]:
    match = _PAGE.fullmatch(name)
    return (name, None) if match is None else (match["file"], int(match["page"]))


def _form(path: str, page: int | None) -> NameForm:
    *folders, name = path.split("/")
    stem, _, _ = name.rpartition(".")
    return NameForm(tuple(folder for folder in folders if folder), stem or name, page)


def _nearest(folders: Sequence[str], images: Sequence[_Known]) -> list[_Known]:
    """Those whose folders end most as these do; of equal ones, those that have no others."""
    if not images:
        return []

    def likeness(item: _Known) -> tuple[int, bool]:
        pairs = zip(reversed(folders), reversed(item.form.folders), strict=False)
        shared = 0
        for one, other in pairs:
            if one != other:
                break
            shared += 1
        return shared, shared == len(item.form.folders)

    best = max(map(likeness, images))
    return [item for item in images if likeness(item) == best]


def _ambiguous(images: Sequence[_Known]) -> str:
    words = f"{len(images)} images have this name in the project."
    folders = sorted({"/".join(item.form.folders) for item in images} - {""})
    if len(folders) < 2:
        return words
    stem = images[0].form.stem
    return f"{words} Put its folder before it, as in {folders[0]}/{stem}.png or {folders[0]}_{stem}.png."
