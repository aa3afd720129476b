"""What all stages share: the session that plans and pins, the command line, and what wildcards may be."""

import sys
from pathlib import Path
from shlex import quote as shell_quote

from chargen.snakemake.session import Session

# No input of a chain is ancient(): a job that is made again because it was killed would hide all jobs behind it, and
# nothing here costs anything when it runs again.
session = Session(config, Path.cwd(), workflow)
CHARGEN = f"{shell_quote(sys.executable)} -m chargen"


wildcard_constraints:
    operation="generate|analyze|enhance",
    run=r"[0-9TZ-]+",
    batch="[0-9a-f]{16}",
    chain="report|(generate|analyze|enhance)/[0-9a-f]{16}",


def follow_ups(wildcards):
    """Return the chains that a batch's receipt calls for: what is sent again, and what waited for its pictures."""
    receipt = checkpoints.apply.get(**wildcards).output.receipt
    return session.follow_ups(receipt)


def put_back_follow_ups(wildcards):
    """Return the chains of what waited for pictures that were put back."""
    return session.follow_ups(checkpoints.put_back.get(**wildcards).output.done)


def found_again(wildcards):
    """Return the chain of a batch whose job counted as lost and is on the server again."""
    return session.follow_ups(checkpoints.look_again.get(**wildcards).output.done)


def generation(wildcards):
    """Return the chains of what is generated: known while the graph is built, unless analyses come first."""
    if session.learns_first:
        return session.pinned_chains(
            checkpoints.plan_generation.get(**wildcards).output.plan
        )
    return session.settled_of("generate")


def second_looks(wildcards):
    """Return the chains of the analyses of what is new."""
    return session.pinned_chains(checkpoints.plan_analysis.get(**wildcards).output.plan)


def shown(path, caption, what):
    """Return an output that `snakemake --report` shows; one that is gone is left out there and is no error."""
    if not Path(path).exists():
        return path
    return report(
        path,
        caption=f"../../report/{caption}",
        category="What was made",
        labels={"content": what},
    )


onstart:
    session.start()


onsuccess:
    session.finish(failed=False)


onerror:
    session.finish(failed=True)
