"""Benchmarks: each measures every side of its claim in one run and reports medians. ``python -m bench``."""
