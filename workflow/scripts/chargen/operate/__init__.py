"""Operating: what a person wants to see and do beside a run, each a target of its own that needs no plan."""
