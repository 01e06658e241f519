"""Operation of the app: health checks, and the history of its metrics.

``monitoring`` counts in memory; this room writes the counts to disk and reads them back for any period.
"""
