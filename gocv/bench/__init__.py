"""Benchmarks: a reader, a part and a metric give a table, always of one shape."""
