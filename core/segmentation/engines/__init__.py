"""Engines: what turns grey pixels into maps of probability and depth.

``unet`` is a small torch network, ``classical`` needs no training. Only this room imports torch.
"""
