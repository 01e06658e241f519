"""Widgets with a browser side of their own: the table, the image viewer, live queue progress, timelines.

Their JavaScript, CSS and HTML lie in ``assets/``.
"""
