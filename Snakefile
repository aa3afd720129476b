"""chargen: make for pictures. `snakemake -l` lists the targets, README.md explains them."""

from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "report/workflow.rst"


# The steps run in the interpreter that runs Snakemake; this says which one they are tested with.
container: "docker://python:3.11"


include: "workflow/rules/common.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/stage.smk"
include: "workflow/rules/submit.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/apply.smk"
include: "workflow/rules/illustrate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/orders.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/screens.smk"


localrules:
    generate_all,
    generate_characters,
    generate_locations,
    generate_chapters,
    submitted,
    analyze_all,
    analyze_characters,
    analyze_locations,
    analyze_chapters,
    illustrate_all,
    enhance_all,
    report,


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


rule illustrate_all:
    """Analyse existing pictures, make missing ones using the analyses, then analyse the new ones."""
    input:
        graph.files_of_targets,


rule enhance_all:
    """Make a new version of every picture in a folder, following a prompt (settings: enhance)."""
    input:
        graph.files_of_targets,


rule report:
    """Write results/report.html, report.json and failures.jsonl for the current state. Spends nothing."""
    input:
        graph.files_of_targets,
