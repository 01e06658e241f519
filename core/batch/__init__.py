"""Measure many files from the command line, and write tables, label images and overlays.

It uses the same segmentation and the same columns as the app, and no database.
"""
