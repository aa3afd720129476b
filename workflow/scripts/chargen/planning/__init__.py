"""Planning: which pictures are wanted, done, stale, missing, in flight or failed, and what is sent. Read-only."""
