checkpoint apply:
    """Save the pictures of a batch in their folders, record them, and list failures and follow-ups."""
    input:
        responses="results/{operation}/{batch}/responses.jsonl",
    output:
        receipt="results/{operation}/{batch}/receipt.json",
        follow_ups="results/{operation}/{batch}/follow-ups.json",
    log:
        "logs/{operation}/{batch}/apply.log",
    priority: 3
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} apply --run {params.run:q} {wildcards.batch} {output.receipt:q}"
        " {output.follow_ups:q} 2> {log:q}"


# One small rule per batch: an input function over all batches would show only the first one in a dry run.
rule settle:
    """Finish the chain of one batch when all its follow-ups are finished."""
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


# Each run restores for itself: what an earlier run restored may be missing again.
checkpoint put_back:
    """Restore missing pictures that were already paid for from stored answers."""
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
    """Finish the restore of one batch's pictures when everything that waited for them is finished."""
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


# Each run checks for itself: a job that was missing yesterday may be there today.
checkpoint look_again:
    """Check whether the lost job of a batch is on the server again."""
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
    """Finish the check for a lost job when its results, if it was found, are settled."""
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
