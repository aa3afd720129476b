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
    """Make every picture that the library asks for and lacks. `-n` shows what it would cost."""
    default_target: True
    input:
        graph.files_of_targets,


rule generate_characters:
    """Make the pictures that characters lack."""
    input:
        graph.files_of_targets,


rule generate_locations:
    """Make the pictures that locations lack."""
    input:
        graph.files_of_targets,


rule generate_chapters:
    """Make the pictures that chapters lack."""
    input:
        graph.files_of_targets,


rule submitted:
    """Stop after submission: leave now, collect later with `snakemake generate_all`."""
    input:
        graph.job_files,


rule analyze_all:
    """Look at every picture of the library that has no analysis yet, and write down what is on it."""
    input:
        graph.files_of_targets,


rule analyze_characters:
    """Look at the pictures of characters."""
    input:
        graph.files_of_targets,


rule analyze_locations:
    """Look at the pictures of locations."""
    input:
        graph.files_of_targets,


rule analyze_chapters:
    """Look at the pictures of chapters."""
    input:
        graph.files_of_targets,


rule illustrate_all:
    """Look at what is there, make what is wanted with what was learned, and look at what is new."""
    input:
        graph.files_of_targets,


rule enhance_all:
    """Make every picture of a folder again, as a prompt says (settings: enhance)."""
    input:
        graph.files_of_targets,


rule report:
    """Write results/report.html, report.json and failures.jsonl as things stand. Spends nothing."""
    input:
        graph.files_of_targets,
