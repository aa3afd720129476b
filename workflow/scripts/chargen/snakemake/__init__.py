"""The Snakemake side: what rules ask while the graph is built, start and end of a run, and what is printed."""
