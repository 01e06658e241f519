"""The operations pages: Performance, Throughput, Health and Settings."""
