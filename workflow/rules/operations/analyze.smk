"""What looks at the pictures of a library."""


localrules:
    analyze_all,
    analyze_characters,
    analyze_locations,
    analyze_chapters,


rule analyze_all:
    """Analyse every picture that has no analysis yet, and record the results."""
    input:
        graph.files_of_targets,


rule analyze_characters:
    """Analyse the pictures of characters."""
    input:
        graph.files_of_targets,


rule analyze_locations:
    """Analyse the pictures of locations."""
    input:
        graph.files_of_targets,


rule analyze_chapters:
    """Analyse the pictures of chapters."""
    input:
        graph.files_of_targets,
