"""Operation of the app: health checks, and the history of what monitoring has counted.

Monitoring counts in memory; this room writes the counts to disk, reads them back for any period and judges.
"""
