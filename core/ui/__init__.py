"""Widgets and formatting of the pages, one module a page or part of one.

Pages in ``pages/`` call these; ``components`` holds widgets with JavaScript of their own, ``operations`` the
pages about the app itself. Nothing here knows of HTTP.
"""
