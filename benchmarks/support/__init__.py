"""What several benchmarks share, and tests use."""
