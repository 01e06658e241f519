"""The command line's work: measure many files and write tables, label images and overlays.

It uses the same segmentation and the same columns as the app, and no database.
"""
