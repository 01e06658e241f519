"""How far two people agree, in words: the ceiling beside the engine, and where it is too early to say."""

from __future__ import annotations

from core.corrections.accuracy import Estimate
from core.corrections.agreement import Agreement, Ceiling
from core.ui.ceiling_panel import rows, words

NOTHING = Estimate(None)
PEOPLE = Agreement(12, Estimate(0.96, 0.9, 0.99), Estimate(0.951, 0.94, 0.96), Estimate(0.012, -0.004, 0.03))
ENGINE = Agreement(12, Estimate(0.94, 0.88, 0.97), Estimate(0.93, 0.91, 0.95), NOTHING)
FEW = Agreement(2, Estimate(1.0), Estimate(0.95), Estimate(0.0))


def test_the_ceiling_stands_beside_the_engine() -> None:
    found = Ceiling(PEOPLE, ENGINE, at_random=True)
    assert words(found, known=True) == (
        "Two people agree: 0.951 (0.940 to 0.960), the ceiling. "
        "The engine agrees with the same drawings: 0.930 (0.910 to 0.950)."
    )
    people, engine = rows(found, known=True)
    assert people == {
        "of": "two people",
        "images": 12,
        "spheroids that both have": "96 % (90 to 99)",
        "overlap, median": "0.951 (0.940 to 0.960)",
        "change of Ø, median": "+1.2 % (-0.4 to +3.0)",
    }
    assert (engine["of"], engine["change of Ø, median"]) == ("engine, same drawings", "–")


def test_few_drawings_say_so_and_no_number() -> None:
    found = Ceiling(FEW, FEW, at_random=False)
    assert words(found, known=True) == (
        "2 images were drawn by a second person: too few to say how far two people agree. "
        "It takes 5 with spheroids."
    )
    assert rows(found, known=True)[0]["overlap, median"] == "too few to judge"
    one = Ceiling(Agreement(1, NOTHING, NOTHING, NOTHING), FEW, at_random=False)
    assert words(one, known=False).startswith("1 image was drawn again: too few to say how far the drawings")


def test_what_may_be_the_same_persons_is_not_called_two_people() -> None:
    found = Ceiling(PEOPLE, ENGINE, at_random=True)
    assert words(found, known=False).startswith("Drawn again, the outlines agree: 0.951")
    assert rows(found, known=False)[0]["of"] == "drawn again"


def test_images_without_a_result_of_an_engine_say_nothing_of_it() -> None:
    found = Ceiling(PEOPLE, Agreement(0, NOTHING, NOTHING, NOTHING), at_random=True)
    assert words(found, known=True).endswith("Of the engine too few of these images have a result to say.")
    assert [row["of"] for row in rows(found, known=True)] == ["two people"]
