checkpoint apply:
    """Put the pictures of a batch in their folders, record them, and say what failed and what follows."""
    input:
        responses="results/{operation}/{batch}/responses.jsonl",
    output:
        receipt="results/{operation}/{batch}/receipt.json",
    log:
        "logs/{operation}/{batch}/apply.log",
    priority: 3
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} apply --run {params.run:q} {wildcards.batch} {output.receipt:q} 2> {log:q}"


# One small rule per batch: an input function over all batches would show only the first one in a dry run.
rule settle:
    """Close the chain of one batch once everything that follows from it is settled too."""
    input:
        receipt="results/{operation}/{batch}/receipt.json",
        follow_ups=follow_ups,
    output:
        settled="results/{operation}/{batch}/settled",
    log:
        "logs/{operation}/{batch}/settle.log",
    localrule: True
    shell:
        "touch {output.settled:q} 2> {log:q}"


# Each run puts back for itself: what an earlier one put back may be gone again.
checkpoint put_back:
    """Put pictures that were paid for and are no longer in place back from what is stored."""
    output:
        done="results/{operation}/{batch}/put-back.{run}.json",
    log:
        "logs/{operation}/{batch}/put-back.{run}.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} put-back --run {params.run:q} {wildcards.batch} {output.done:q} 2> {log:q}"


rule settle_put_back:
    """Close the putting back of one batch's pictures once everything that waited for them is settled."""
    input:
        done="results/{operation}/{batch}/put-back.{run}.json",
        follow_ups=put_back_follow_ups,
    output:
        settled="results/{operation}/{batch}/put-back.{run}.settled",
    log:
        "logs/{operation}/{batch}/put-back.{run}.settle.log",
    localrule: True
    shell:
        "touch {output.settled:q} 2> {log:q}"


# Each run looks for itself: what was denied yesterday may be there today.
checkpoint look_again:
    """Look whether the job of a batch that counts as lost is on the server again."""
    output:
        done="results/{operation}/{batch}/looked-again.{run}.json",
    log:
        "logs/{operation}/{batch}/looked-again.{run}.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} look-again --run {params.run:q} {wildcards.batch} {output.done:q} 2> {log:q}"


rule settle_look_again:
    """Close the look for a lost job once its results, if it is there again, are settled."""
    input:
        done="results/{operation}/{batch}/looked-again.{run}.json",
        results=results_of_found_job,
    output:
        settled="results/{operation}/{batch}/looked-again.{run}.settled",
    log:
        "logs/{operation}/{batch}/looked-again.{run}.settle.log",
    localrule: True
    shell:
        "touch {output.settled:q} 2> {log:q}"
