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
include: "workflow/rules/report.smk"
include: "workflow/rules/orders.smk"
include: "workflow/rules/review.smk"
include: "workflow/rules/screens.smk"


# The targets of each operation, in a file of its name.
for operation in operations.names():

    include: f"workflow/rules/operations/{operation}.smk"


include: "workflow/rules/illustrate.smk"


localrules:
    report,


rule report:
    """Write results/report.html, report.json and failures.jsonl for the current state. Spends nothing."""
    input:
        graph.files_of_targets,
