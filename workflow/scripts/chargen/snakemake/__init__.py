"""What Snakemake asks and shows: the run with its graph, and what is printed while it goes on."""
