"""Benchmarks: each prints a table and writes JSON under bench/results/. Run one with `python -m bench.NAME`."""
