"""Tables of images and spheroids: filters, sort orders, pages and columns.

A page of a large project comes from a table in memory (``page_index``) or from SQL; both give the same rows.
The columns are described once, for the grid, the API and the exports.
"""
