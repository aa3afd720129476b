"""The report: what a person and a program want to know after a run, from receipts, journal, plan and library."""
