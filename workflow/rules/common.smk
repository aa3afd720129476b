"""What all rules share: the graph that answers their questions, the run around them, and what wildcards may be."""

import sys
from pathlib import Path
from shlex import quote as shell_quote

from chargen import operations
from chargen.snakemake.context import RunContext
from chargen.snakemake.graph import Graph
from chargen.snakemake.plans import Plans
from chargen.snakemake.run import Run

# No input of a chain is ancient(): a job that is rerun because it was killed would hide all jobs after it, and
# rerunning a step costs nothing.
context = RunContext(config, Path.cwd(), workflow)
plans = Plans(context)
graph = Graph(context, plans)
this_run = Run(context, plans)
RUN_FOLDER = context.run_folder
CHARGEN = f"{shell_quote(sys.executable)} -m chargen"
OPERATIONS = "|".join(operations.names())


wildcard_constraints:
    operation=OPERATIONS,
    run=r"[0-9TZ-]+",
    batch="[0-9a-f]{16}",
    chain=f"report|({OPERATIONS})/[0-9a-f]{{16}}",


def follow_ups(wildcards):
    """Return the chains that follow from a batch: retries, and scenes that waited for its pictures."""
    return graph.files_of_follow_ups(
        checkpoints.apply.get(**wildcards).output.follow_ups
    )


def put_back_follow_ups(wildcards):
    """Return the chains of scenes that waited for restored pictures."""
    return graph.files_of_follow_ups(checkpoints.put_back.get(**wildcards).output.done)


def results_of_found_job(wildcards):
    """Return the chain of a batch whose lost job is on the server again."""
    return graph.files_of_follow_ups(
        checkpoints.look_again.get(**wildcards).output.done
    )


def generated_files(wildcards):
    """Return the chains of generation: known while the graph is built, unless analyses come first."""
    if graph.analyzes_first:
        return graph.files_of_plan(
            checkpoints.plan_generation.get(**wildcards).output.plan
        )
    return graph.settled_files("generate")


def second_analyses(wildcards):
    """Return the chains of the analyses of new pictures."""
    return graph.files_of_plan(checkpoints.plan_analysis.get(**wildcards).output.plan)


def shown(path, caption, what):
    """Return an output that `snakemake --report` shows; a missing one is skipped there without an error."""
    if not Path(path).exists():
        return path
    return report(
        path,
        caption=f"../../report/{caption}",
        category="What was made",
        labels={"content": what},
    )


onstart:
    this_run.start()


onsuccess:
    this_run.finish(failed=False)


onerror:
    this_run.finish(failed=True)
