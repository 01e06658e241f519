"""Parameters of a segmentation that a user may set: unit, default, range and help of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from core.errors import InvalidRequest
from core.segmentation.grayscale import CHANNELS

# Parameters with this mark change what an engine predicts. The others change outlines only, so they can be
# tried on the maps that are stored with a result, without running the engine.
_AFFECTS_PREDICTION = "affects_prediction"


def _number(
    default: float, unit: str, bounds: tuple[float, float], text: str, affects_prediction: bool = False
) -> Any:
    return field(
        default=default,
        metadata={"unit": unit, "range": bounds, "help": text, _AFFECTS_PREDICTION: affects_prediction},
    )


def _choice(default: str, choices: tuple[str, ...], text: str, affects_prediction: bool = False) -> Any:
    return field(
        default=default,
        metadata={"unit": "", "choices": choices, "help": text, _AFFECTS_PREDICTION: affects_prediction},
    )


def _switch(default: bool, text: str) -> Any:
    return field(default=default, metadata={"unit": "", "help": text, _AFFECTS_PREDICTION: False})


@dataclass(frozen=True, slots=True)
class SegmentationParams:
    """Settings of one segmentation; the same for every engine.

    Each field's metadata has ``unit`` and ``help``, and ``range`` (numbers, both ends allowed) or
    ``choices``, so that a page can draw its sliders from the fields alone.

    Raises:
        InvalidRequest: a value is of another type, not one of the choices, or out of its range.
    """

    channel: str = _choice(
        "brightness",
        CHANNELS,
        "What counts in a colour image: brightness, the brightest channel at each place, or one channel.",
        affects_prediction=True,
    )
    polarity: str = _choice(
        "auto",
        ("auto", "dark", "bright"),
        "Whether spheroids are darker or brighter than what is around them.",
        affects_prediction=True,
    )
    outline: str = _choice(
        "auto",
        ("auto", "whole", "core"),
        "Where outlines run: around all that hangs together (whole), around the dense body without its halo "
        "or loose rim (core), or around whichever of both has the stronger edge (auto).",
    )
    sensitivity: float = _number(
        0.0,
        "share of the contrast",
        (-0.9, 0.9),
        "Above 0 outlines fainter matter, below 0 only the clearest.",
    )
    split_touching: bool = _switch(True, "Cut bodies that touch apart where they are narrowest.")
    fill_holes: bool = _switch(True, "Count what a spheroid encloses as part of it.")
    keep_border_objects: bool = _switch(True, "Keep spheroids that are cut off by the image's edge.")
    min_relative_area: float = _number(
        0.05,
        "share of the typical area",
        (0.0, 1.0),
        "Drop anything smaller than this share of the area-weighted median area: debris, single cells.",
    )
    min_diameter_px: float = _number(
        0.0, "px", (0.0, 10_000.0), "Drop anything with a smaller equivalent diameter; 0 drops nothing."
    )
    working_long_side_px: int = _number(
        768,
        "px",
        (128, 2048),
        "Longer side of the copy in which bodies are found; outlines keep full resolution.",
        affects_prediction=True,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item.name, getattr(self, item.name), item.default, item.metadata)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> SegmentationParams:
        """Return parameters from JSON's types; those left out have their defaults.

        Raises:
            InvalidRequest: a name that is not a parameter, or a value that cannot be.
        """
        known = {item.name: item for item in fields(cls)}
        for name in values:
            if name not in known:
                raise InvalidRequest(f"There is no parameter {name!r}; there are {', '.join(known)}.")
        typed: dict[str, Any] = {name: _as(known[name].default, value) for name, value in values.items()}
        return cls(**typed)

    @classmethod
    def from_texts(cls, values: Mapping[str, str]) -> SegmentationParams:
        """Return parameters from texts, as on a command line: ``true`` and ``false``, numbers, words.

        Raises:
            InvalidRequest: as ``from_dict``.
        """
        kinds = {item.name: type(item.default) for item in fields(cls)}
        return cls.from_dict({name: _read(text, kinds.get(name, str)) for name, text in values.items()})

    def predicts_like(self, other: SegmentationParams) -> bool:
        """Whether an engine predicts the same with both, so that its stored maps can be used for both."""
        return all(
            getattr(self, item.name) == getattr(other, item.name)
            for item in fields(self)
            if item.metadata[_AFFECTS_PREDICTION]
        )

    @classmethod
    def changed(cls, values: Mapping[str, object]) -> dict[str, object]:
        """Of parameters by name, those that are not at their defaults, in the order of the fields."""
        return {
            item.name: values[item.name]
            for item in fields(cls)
            if values.get(item.name, item.default) != item.default
        }

    def to_dict(self) -> dict[str, object]:
        """Every parameter by name, in JSON's types; ``from_dict`` takes it back."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def _read(text: str, kind: type) -> object:
    """The value that a text stands for; the text itself where it stands for none, which is then refused."""
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def _as(default: object, value: object) -> object:
    # JSON has one kind of number, so 1 may stand for 1.0; true may not stand for 1.
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and isinstance(default, float) else value  # type: ignore[arg-type]


def _check(name: str, value: object, default: object, about: Mapping[str, Any]) -> None:
    if type(value) is not type(default):
        raise InvalidRequest(f"{name} must be of type {type(default).__name__}, not {value!r}.")
    if "choices" in about and value not in about["choices"]:
        raise InvalidRequest(f"{name} must be one of {', '.join(about['choices'])}, not {value!r}.")
    if "range" in about:
        low, high = about["range"]
        assert isinstance(value, int | float)
        if not (math.isfinite(value) and low <= value <= high):
            raise InvalidRequest(f"{name} must be from {low:g} to {high:g} {about['unit']}, not {value!r}.")
