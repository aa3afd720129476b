"""What makes the pictures that a library asks for."""


localrules:
    generate_all,
    generate_characters,
    generate_locations,
    generate_chapters,
    submitted,


rule generate_all:
    """Make all missing pictures of the library. `-n` shows what it would cost."""
    default_target: True
    input:
        graph.files_of_targets,


rule generate_characters:
    """Make the missing pictures of characters."""
    input:
        graph.files_of_targets,


rule generate_locations:
    """Make the missing pictures of locations."""
    input:
        graph.files_of_targets,


rule generate_chapters:
    """Make the missing pictures of chapters."""
    input:
        graph.files_of_targets,


rule submitted:
    """Stop after submission: leave now, collect later with `snakemake generate_all`."""
    input:
        graph.job_files,
