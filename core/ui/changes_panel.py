"""What people have changed of an image's result, in words: who, when, with what, at which spheroids, why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.models import Image, Version
from core.services import Services
from core.store.correction_audit import CorrectionAction, CorrectionAuditRow
from core.ui import times
from core.ui.feedback import plural
from core.ui.format import clock, length, plain

PER_PAGE = 10
Facts = Mapping[str, Any]


def changes_panel(services: Services, image: Image, versions: Sequence[Version]) -> None:
    """Draw every change that people made, the newest first, a page at a time; nothing where there is none."""
    key = f"changes-{image.id}"
    page = int(st.session_state.get(key, 1))
    audit = services.store.correction_audit
    rows, total = audit.page_of_image(image.id, PER_PAGE, (page - 1) * PER_PAGE)
    if not total:
        return
    with st.expander(f"{plural(total, 'change')} by people", icon=":material/person_edit:"):
        for row in rows:
            st.markdown(f"**{plain(row.who)}** · {times.moment(row.changed_at)}")
            st.caption(plain(words(row, image.um_per_px, versions)))
        if total > PER_PAGE:
            st.pagination(-(-total // PER_PAGE), key=key)


def words(row: CorrectionAuditRow, um_per_px: float | None, versions: Sequence[Version] = ()) -> str:
    """Return what somebody did: “Brush: spheroid 3, diameter 82.1 px → 85.3 px, overlap 0.93”.

    ``versions`` are those of the image; what is not known, as of rows of before, is left out.
    """
    facts: Facts = json.loads(row.facts)
    if row.action == CorrectionAction.CHANGED:
        tool = str(facts.get("tool", "")).capitalize()
        objects = [_object_words(item, um_per_px) for item in facts.get("objects", ())]
        return f"{tool}: {'; '.join(objects)}" if objects else tool
    describe = _DESCRIPTIONS.get(row.action)
    if describe is not None:
        return describe(facts, um_per_px)
    if row.action == CorrectionAction.CHOSE:
        return _choice_words(facts, versions)
    return row.action.capitalize()


def _object_words(item: Facts, um_per_px: float | None) -> str:
    name = f"spheroid {item['number']}"
    if item.get("before") is None:
        parents = " and ".join(map(str, item.get("parents", ())))
        return f"{name} is new" + (f", made from {parents}" if parents else "")
    if item.get("after") is None:
        return f"{name} deleted"
    return name + _diameter_words(item, um_per_px) + _overlap_words(item.get("iou"))


def _diameter_words(facts: Facts, um_per_px: float | None) -> str:
    before, after = facts.get("diameter_before_px"), facts.get("diameter_after_px")
    if before is None or after is None:
        return ""
    return f", diameter {length(before, um_per_px)} → {length(after, um_per_px)}"


def _overlap_words(iou: float | None) -> str:
    return "" if iou is None else f", overlap {iou:.2f}"


def _correction_words(facts: Facts, um_per_px: float | None) -> str:
    seconds = facts.get("seconds_worked")
    work = "" if not seconds else f", {clock(seconds)} min of work"
    largest = _diameter_words(facts, um_per_px).replace("diameter", "largest diameter")
    text = f"Finished a correction: {plural(facts['n_objects'], 'spheroid')}"
    return text + largest + _overlap_words(facts.get("parent_iou")) + work + _reason_words(facts)


def _import_words(facts: Facts, _um_per_px: float | None) -> str:
    text = f"Imported {plural(facts['n_objects'], 'outline')} from {facts.get('source', 'a file')}"
    return text + _reason_words(facts)


def _review_words(facts: Facts, _um_per_px: float | None) -> str:
    taken_back = facts.get("taken_back")
    if taken_back is not None:
        return f"Took “{taken_back}” back: {facts['state']} again"
    return f"Reviewed: {facts['state']}{_reason_words(facts)}"


def _drawing_words(facts: Facts, _um_per_px: float | None) -> str:
    return f"Drew a second opinion without seeing the outlines: {plural(facts['n_drawn'], 'spheroid')}"


def _choice_words(facts: Facts, versions: Sequence[Version]) -> str:
    chosen = next((version for version in versions if version.id == facts["version"]), None)
    return "Went back to another result" + (
        "" if chosen is None else f": that of {times.moment(chosen.created_at)}"
    )


def _reason_words(facts: Facts) -> str:
    return f". Reason: {facts['reason']}" if facts.get("reason") else ""


_DESCRIPTIONS: Mapping[str, Callable[[Facts, float | None], str]] = {
    CorrectionAction.CORRECTED: _correction_words,
    CorrectionAction.IMPORTED: _import_words,
    CorrectionAction.REVIEWED: _review_words,
    CorrectionAction.SECOND_OPINION: _drawing_words,
    CorrectionAction.DISCARDED: lambda _facts, _um_per_px: "Discarded the correction",
    CorrectionAction.REOPENED: lambda _facts, _um_per_px: "Took the discarded correction up again",
}
