"""Files on disk: content-addressed blobs, names that are safe on every system, and fsync.

A file is named by the SHA-256 of its bytes, so it is never overwritten.
Nothing here knows what the bytes mean.
"""
