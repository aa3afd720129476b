"""The report after a run, for people and programs, from receipts, journal, plan and library."""
