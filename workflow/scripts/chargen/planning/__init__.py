"""Planning: which pictures are wanted, done, stale, missing, in flight or failed, and what goes out. Read-only."""
