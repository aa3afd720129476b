"""The Snakemake side: functions for the rules, start and end of a run, and what is printed."""
