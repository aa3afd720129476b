"""The checks of `snakemake doctor`: a new one is a function in one of these modules and a line in `doctor.CHECKS`."""
