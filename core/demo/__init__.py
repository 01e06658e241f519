"""The demo plate: synthetic wells with known truth, drawn and loaded like anybody's images.

``synthetic/`` draws microscope scenes; tests and training use it, too.
"""
