"""What a job is estimated to take is near what was measured."""

from __future__ import annotations

from core.memory import estimated_bytes

MB = 2**20


def estimate_mb(megapixels: int, dtype: str = "uint16", channels: int = 1) -> float:
    item_bytes = {"uint8": 1, "uint16": 2, "float32": 4}[dtype]
    facts = {"width": megapixels * 1000, "height": 1000, "channels": channels, "dtype": dtype}
    return estimated_bytes(facts | {"n_bytes": megapixels * 10**6 * item_bytes * channels}) / MB


def test_the_estimate_is_near_what_was_measured() -> None:
    assert 280 < estimate_mb(20) < 320  # 302 with the classical engine, 286 with the network
    assert 1050 < estimate_mb(80) < 1150  # 1111 and 1084


def test_more_bits_and_colours_take_more() -> None:
    assert estimate_mb(20, "uint8") < estimate_mb(20) < estimate_mb(20, "float32")
    assert estimate_mb(20, "uint8") < estimate_mb(20, "uint8", 3)
