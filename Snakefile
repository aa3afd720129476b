"""chargen: make for pictures. `snakemake -l` lists the targets, README.md explains them."""

from snakemake.utils import min_version

min_version("9.27")


configfile: workflow.source_path("config/config.yaml")


# The steps run in the interpreter that runs Snakemake; this says which one they are tested with.
container: "docker://python:3.11"


include: "workflow/rules/common.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/stage.smk"
include: "workflow/rules/submit.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/apply.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/orders.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/operate.smk"


localrules:
    generate_all,
    generate_characters,
    generate_locations,
    generate_chapters,
    submitted,


rule generate_all:
    """Make every picture that the library asks for and lacks. `-n` shows what it would cost."""
    default_target: True
    input:
        session.everything,


rule generate_characters:
    """Make the pictures that characters lack."""
    input:
        session.everything,


rule generate_locations:
    """Make the pictures that locations lack."""
    input:
        session.everything,


rule generate_chapters:
    """Make the pictures that chapters lack."""
    input:
        session.everything,


rule submitted:
    """Stop after submission: leave now, collect later with `snakemake generate_all`."""
    input:
        session.jobs,
