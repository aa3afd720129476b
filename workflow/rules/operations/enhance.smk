"""What makes the pictures of a folder again."""


localrules:
    enhance_all,


rule enhance_all:
    """Make a new version of every picture in a folder, following a prompt (settings: enhance)."""
    input:
        graph.files_of_targets,
