"""The Queue page besides its list: the timeline of the workers, and buttons for jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.models import JobState, Priority
from core.services import Services
from core.store.jobs import JobStore, QueueTotals
from core.ui import visitor
from core.ui.components.grid import GridAnswer
from core.ui.components.timeline_chart import timeline
from core.ui.feedback import explained, plural

CHART_SECONDS = 3.0
CHART_SPANS = 80
_CHANGEABLE = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)  # states that have buttons
FIRST_SECONDS = 2.0  # between refreshes of a page that has no job to show yet


def counts(services: Services, totals: QueueTotals, project_id: str | None) -> Mapping[JobState, int]:
    """Number of jobs by state, of all projects or of one, which are also said in words."""
    if project_id is None:
        return totals.counts
    counts = services.throughput.jobs(project_id)
    st.caption(" · ".join(f"{number} {state.value}" for state, number in counts.items()) + " in this project")
    return counts


def chart(services: Services, project_id: str | None, *, active: bool) -> None:
    """Draw what each worker did lately, refreshed while anything waits or runs."""
    st.fragment(run_every=CHART_SECONDS if active else None)(_chart)(services, project_id)


def _chart(services: Services, project_id: str | None) -> None:
    every = services.queue.timeline.latest()
    spans = [span for span in every if project_id in (None, span.project_id)][-CHART_SPANS:]
    if not spans:
        st.caption("What each worker has done since the app was started appears here.")
        return
    figure = timeline(spans, services.settings.segmentation_workers)
    st.plotly_chart(figure, key="timeline", config={"displayModeBar": False})
    st.caption(
        "Bars side by side in several rows are images segmented at the same time; gaps are idle workers."
    )


def actions(
    services: Services, state: JobState, answer: GridAnswer, total: int, project_id: str | None
) -> None:
    """Draw the buttons for the ``total`` jobs in ``state``: for the selected ones, else for all of them.

    A visitor who may change none of them is told so in their place.
    """
    if not visitor.may_edit_some(services, project_id):
        if state in _CHANGEABLE:
            st.caption("You can look at the queue, not change it: that takes a project that you may edit.")
        return
    ids = _target(services, state, answer, project_id)
    scope = f"all {state.value}"
    if ids is not None:
        scope = f"{len(ids)} selected" if answer.selected or answer.everything else f"these {len(ids)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        for offer in _offers(services.store.jobs, state, ids, scope):
            _button(services, offer, disabled=not total)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A button: label, tooltip, action, and the participle that the message after it ends with."""

    label: str
    hint: str | None
    icon: str
    change: Callable[[], int]
    done: str


def _offers(jobs: JobStore, state: JobState, ids: tuple[str, ...] | None, scope: str) -> list[_Offer]:
    cancel = partial(jobs.cancel, ids, state)
    offers = {
        JobState.QUEUED: [
            *(_priority(jobs, priority, ids, scope) for priority in reversed(Priority)),
            _Offer(f"Cancel {scope}", None, ":material/cancel:", cancel, "cancelled"),
        ],
        JobState.RUNNING: [_Offer(f"Cancel {scope}", None, ":material/cancel:", cancel, "cancelled")],
        JobState.FAILED: [
            _Offer(f"Retry {scope}", None, ":material/replay:", partial(jobs.retry, ids), "queued again")
        ],
    }
    return offers.get(state, [])


def _priority(jobs: JobStore, priority: Priority, ids: tuple[str, ...] | None, scope: str) -> _Offer:
    icon = {Priority.HIGH: "keyboard_double_arrow_up", Priority.NORMAL: "drag_handle"}.get(priority)
    return _Offer(
        label=priority.value.capitalize(),
        hint=f"Give {scope} {priority.value} priority",
        icon=f":material/{icon or 'keyboard_double_arrow_down'}:",
        change=partial(jobs.prioritise, priority, ids),
        done=f"given {priority.value} priority",
    )


def _target(
    services: Services, state: JobState, answer: GridAnswer, project_id: str | None
) -> tuple[str, ...] | None:
    """Return the ids of the selected jobs; None for all in this state: where none or all are selected.

    Of one project, those are all of its jobs.
    """
    if answer.everything and answer.deselected:
        return services.store.jobs.ids(state, answer.deselected, project_id)
    if answer.selected or project_id is None:
        return answer.selected or None
    return services.store.jobs.ids(state, project_id=project_id) if state in _CHANGEABLE else ()


def _button(services: Services, offer: _Offer, *, disabled: bool) -> None:
    if st.button(offer.label, icon=offer.icon, help=offer.hint, disabled=disabled):
        with explained():
            count = offer.change()
            services.queue.wake()
            st.toast(f"{plural(count, 'image')} {offer.done}.")
            st.rerun()


@st.fragment(run_every=FIRST_SECONDS)
def wait_for_the_first(services: Services) -> None:
    """Draw the page anew once there is a job to show."""
    if sum(services.queue_monitor.snapshot().totals.counts.values()):
        st.rerun()
