"""Tables of images and spheroids: their columns, sort orders, filters and pages.

``image_columns`` and ``object_columns`` describe each column once; what lists, the API, the grids and exports
need follows from there. A page of images comes from a table in memory (``page_index``) or from SQL; both give
the same rows.
"""
