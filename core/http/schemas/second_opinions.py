"""Second opinions: what somebody drew without seeing the outlines, and how far people agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from core.corrections import Region
from core.corrections.agreement import Agreement, Ceiling, figures
from core.corrections.second_opinions import Drawing
from core.errors import InvalidRequest
from core.http.schemas.base import Answer, Time
from core.http.schemas.corrections import BOX, MAX_OBJECTS, MAX_RUNS, RUNS, Body
from core.http.schemas.reviews import EstimateAnswer
from core.models import Image


class OutlineBody(Body):
    """One spheroid as it was drawn: all of its pixels."""

    box: list[int] = Field(min_length=4, max_length=4, description=BOX)
    runs: list[int] = Field(min_length=2, max_length=MAX_RUNS, description=RUNS)


class DrawingBody(Body):
    """Every spheroid that somebody sees in an image whose outlines were hidden from them."""

    version_id: str = Field(max_length=64, description="The judged result to compare with: see `next`.")
    objects: list[OutlineBody] = Field(max_length=MAX_OBJECTS)
    nothing: bool = Field(default=False, description="Needed where there is nothing to outline.")
    seconds: float | None = Field(
        default=None, ge=0, le=86_400, description="How long they worked at it, where that is known."
    )

    def drawing(self, key: str, image: Image) -> Drawing:
        """Return it checked against its image; raises InvalidRequest."""
        shape = (image.height, image.width)
        regions = [Region.checked(item.box, item.runs, shape) for item in self.objects]
        outlines = tuple(region for region in regions if region is not None)
        if len(outlines) < len(regions):
            raise InvalidRequest("An outline has no pixels.")
        return Drawing(key, self.version_id, outlines, self.nothing, self.seconds)


class StoredAnswer(Answer):
    """What was kept. How far it agrees is not said, or the next drawing would be another one."""

    id: str
    drawn_by: str
    drawn_at: Time
    n_drawn: int
    sha256: str


class ToDrawAnswer(Answer):
    """An image to draw."""

    image_id: str
    name: str
    version_id: str


class NextDrawingAnswer(Answer):
    """The image that the caller is to draw next, null where there is none for them; how many there are."""

    image: ToDrawAnswer | None
    requested: int
    drawn: int
    left: int
    elsewhere: int
    seen: int = Field(description="That wait for somebody else: the caller has seen their outlines.")


class AgreementAnswer(Answer):
    """On `n` images: the share of spheroids that both have, and medians over those."""

    n: int
    both: EstimateAnswer
    iou: EstimateAnswer
    diameter_change: EstimateAnswer


class CeilingAnswer(Answer):
    """What two people make of the same images, and the engine's outlines against the same drawings."""

    people: AgreementAnswer
    engine: AgreementAnswer
    at_random: bool = Field(description="Whether only images that were drawn at random count.")


class SecondOpinionRow(Answer):
    """One drawing. `ious` and `diameter_changes` have a value for each spheroid that is in both."""

    id: str
    image_id: str
    name: str
    version_id: str
    judged_by: str
    drawn_by: str
    drawn_at: Time
    seconds: float | None
    same_person: bool = Field(description="Also where it is not known who is who.")
    at_random: bool
    sha256: str
    n_drawn: int
    n_either: int
    ious: list[float]
    diameter_changes: list[float]
    engine_version_id: str | None
    engine_n_either: int | None
    engine_ious: list[float] | None
    engine_diameter_changes: list[float] | None


class SecondOpinionsAnswer(Answer):
    """How far people agree, and every drawing that it follows from, the first one first."""

    another: CeilingAnswer = Field(description="Drawn by another person.")
    unknown: CeilingAnswer = Field(description="Drawn where it is not known who is who.")
    drawings: list[SecondOpinionRow]


def second_opinions(rows: Iterable[Mapping[str, Any]]) -> SecondOpinionsAnswer:
    """How far people agree, from rows of the statement second_opinions.figures."""
    rows = list(rows)
    found = figures(rows)
    return SecondOpinionsAnswer(
        another=_ceiling(found.another),
        unknown=_ceiling(found.unknown),
        drawings=[SecondOpinionRow.model_validate(row) for row in rows],
    )


def _ceiling(found: Ceiling) -> CeilingAnswer:
    people, engine = (_agreement(item) for item in (found.people, found.engine))
    return CeilingAnswer(people=people, engine=engine, at_random=found.at_random)


def _agreement(found: Agreement) -> AgreementAnswer:
    return AgreementAnswer.model_validate(found)
