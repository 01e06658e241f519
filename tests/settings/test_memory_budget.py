"""The shares of memory add up to the limit at most; what does not fit is refused with what to change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from core.images.memory import Extent, segmenting_bytes
from core.settings import MemoryBudget, Settings
from core.settings.memory_budget import MIN_IMAGES_MB
from tests.deploy import compose

ROUGHLY = st.integers(1, 200_000)
SHARES = ("duckdb_memory_mb", "page_index_mb", "cache_mb", "segmentation_memory_mb")


def refusal(settings: Settings, limit_mb: int) -> str:
    with pytest.raises(InvalidRequest) as caught:
        settings.memory_budget(limit_mb)
    return caught.value.message


@given(limit_mb=ROUGHLY, chosen=st.dictionaries(st.sampled_from(SHARES), st.integers(1, 20_000)))
def test_the_shares_fit_or_are_refused_with_a_limit_that_fits(limit_mb: int, chosen: dict[str, int]) -> None:
    settings = Settings(**chosen)  # type: ignore[arg-type]
    try:
        budget = settings.memory_budget(limit_mb)
    except InvalidRequest as error:
        enough = re.search(r"Raise CONTAINER_MEMORY_LIMIT_MB to (\d+)", error.message)
        assert enough
        budget = settings.memory_budget(int(enough[1]))
    assert sum(budget.shares_mb.values()) <= budget.limit_mb
    assert all(value > 0 for value in budget.shares_mb.values())
    if "segmentation_memory_mb" not in chosen:
        assert budget.images_mb >= MIN_IMAGES_MB
        assert sum(budget.shares_mb.values()) == budget.limit_mb
    for name, field in zip(SHARES, ("database_mb", "page_index_mb", "cache_mb", "images_mb"), strict=True):
        assert name not in chosen or getattr(budget, field) == chosen[name]


def test_the_limit_that_is_set_comes_before_the_computers_memory() -> None:
    assert Settings(container_memory_limit_mb=2048).memory_budget(99_999).limit_mb == 2048
    assert Settings().memory_budget(4096).limit_mb == 4096


def test_what_is_off_has_no_share_and_its_memory_is_for_images() -> None:
    full = Settings().memory_budget(1024)
    assert full == MemoryBudget(1024, 400, 192, 48, 32, 32, 320)
    off = Settings(page_index=False, cache=False, page_index_mb=100).memory_budget(1024)
    assert (off.page_index_mb, off.cache_mb, off.images_mb) == (0, 0, full.images_mb + 64)
    assert Settings(redis_url="redis://host").memory_budget(1024).cache_mb == 0


def test_a_refusal_names_what_was_set_and_what_to_change() -> None:
    settings = Settings(duckdb_memory_mb=1024, cache_mb=256)
    assert refusal(settings, 1024) == (
        "With DUCKDB_MEMORY_MB=1024 and CACHE_MB=256 the app needs 1,888 MB of memory, but it may take "
        "1,024 MB. Raise CONTAINER_MEMORY_LIMIT_MB to 1928, or lower DUCKDB_MEMORY_MB or CACHE_MB."
    )
    assert refusal(Settings(), 700) == (
        "The app needs 832 MB of memory, but it may take 700 MB. Raise CONTAINER_MEMORY_LIMIT_MB to 832."
    )


def test_a_container_of_1_gb_takes_images_of_20_megapixels_and_one_of_2_gb_of_80() -> None:
    for limit_mb, megapixels in ((1024, 20), (2048, 80)):
        image = Extent(megapixels * 1000, 1000, 1, "uint16", megapixels * 2 * 10**6)
        assert segmenting_bytes(image) <= Settings().memory_budget(limit_mb).images_mb * 2**20


def test_the_containers_settings_fit() -> None:
    environment = compose.services()["app"]["environment"]
    settings = Settings.from_env({name: text for name, text in environment.items() if "$" not in text})
    budget = settings.memory_budget(0)
    assert sum(budget.shares_mb.values()) <= budget.limit_mb == 1024
