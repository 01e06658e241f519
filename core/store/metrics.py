"""What was recorded, as kept: histograms by stretch of time, and looks at the system."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from core.db import Database, Session
from core.monitoring import Kind, Sample, Series, Timings
from core.monitoring.histogram import Bucket, Histogram

# How long each resolution is kept before rows are joined to the next one: fresh rows are seconds apart.
TIERS = (
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=10)),
    (timedelta(days=7), timedelta(hours=1)),
)
THINNING = (
    "metrics.thin",
    "metrics.drop_thinned",
    "metrics.thin_samples",
    "metrics.drop_thinned_samples",
)
RETENTION = timedelta(days=30)


class MetricStore:
    """The tables of the metrics file, which is another than the lab's data. Times are UTC without a zone."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, at: datetime, timings: Timings, sample: Sample) -> None:
        """Keep what was counted since the last call, and one sample, in one transaction."""
        rows = [
            {
                "stamp": at,
                "kind": series.kind.value,
                "name": series.name,
                "outcome": series.outcome,
                "bucket": number,
                "calls": bucket.calls,
                "ms": bucket.ms,
                "worst_ms": bucket.worst_ms,
                "amount": bucket.amount,
            }
            for series, histogram in timings.items()
            for number, bucket in histogram.buckets.items()
        ]

        def work(session: Session) -> None:
            if rows:
                session.rows_from("metrics.add", pl.DataFrame(rows))
            session.rows("metrics.add_sample", _sample_row(sample))

        self._db.write(work)

    def window(self, since: datetime, until: datetime | None = None) -> Timings:
        """Everything counted after ``since``, up to ``until`` or up to now."""
        with self._db.read() as session:
            rows = session.rows("metrics.window", {"since": since, "until": until})
        timings: Timings = {}
        for row in rows:
            timings.setdefault(_series(row), Histogram()).add_bucket(row["bucket"], _bucket(row))
        return timings

    def first(self) -> datetime | None:
        """Return when the first sample that is kept was taken."""
        with self._db.read() as session:
            return session.rows("metrics.first")[0]["stamp"]  # type: ignore[no-any-return]

    def over_time(self, kind: Kind | None, since: datetime, slot_s: float) -> dict[datetime, Timings]:
        """Return what was counted after ``since``, of one kind or of all, by slots of ``slot_s`` seconds."""
        with self._db.read() as session:
            values = {"since": since, "slot": slot_s, "kind": kind and kind.value}
            rows = session.rows("metrics.over_time", values)
        slots: dict[datetime, Timings] = {}
        for row in rows:
            timings = slots.setdefault(row["slot"], {})
            timings.setdefault(_series(row), Histogram()).add_bucket(row["bucket"], _bucket(row))
        return slots

    def samples(self, since: datetime, slot_s: float) -> tuple[Sample, ...]:
        """One sample a slot: the most of everything, the mean of the processor, the least of free disk."""
        with self._db.read() as session:
            rows = session.rows("metrics.samples", {"since": since, "slot": slot_s})
        return tuple(Sample(row.pop("stamp").replace(tzinfo=UTC).timestamp(), **row) for row in rows)

    def thin(self, now: datetime) -> None:
        """Join old rows to longer stretches, and forget the oldest."""

        def work(session: Session) -> None:
            for age, slot in TIERS:
                values = {"before": now - age, "slot": slot.total_seconds()}
                for statement in THINNING:
                    session.rows(statement, values)
            for statement in ("metrics.forget", "metrics.forget_samples"):
                session.rows(statement, {"before": now - RETENTION})

        self._db.write(work)


def _sample_row(sample: Sample) -> dict[str, Any]:
    row = asdict(sample)
    return row | {"stamp": datetime.fromtimestamp(row.pop("at"), UTC).replace(tzinfo=None)}


def _series(row: dict[str, Any]) -> Series:
    return Series(Kind(row["kind"]), row["name"], row["outcome"])


def _bucket(row: dict[str, Any]) -> Bucket:
    return Bucket(row["calls"], row["ms"], row["worst_ms"], row["amount"])
