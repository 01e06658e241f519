"""Spheroscope: measure tumour spheroids and organoids from microscopy images."""

__version__ = "0.1.0"
