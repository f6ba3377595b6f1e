"""Benchmarks: the same workloads on KafkaTcl and on whatever else can run them,
in alternation.

``python -m benchmarks --help`` tells the options, docs/performance.md how to read the
figures.
"""
