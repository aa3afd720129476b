checkpoint apply:
    """Put the pictures of a batch in their folders, record them, and say what failed and what follows."""
    input:
        responses="results/{operation}/{batch}/responses.jsonl",
    output:
        receipt="results/{operation}/{batch}/receipt.json",
    log:
        "logs/{operation}/{batch}/apply.log",
    priority: 3
    shell:
        "{CHARGEN} apply --run {session.run_folder:q} {wildcards.batch} {output.receipt:q} 2> {log:q}"


def follow_ups(wildcards):
    """Return the chains that a batch's receipt calls for: what is sent again, and what waited for its pictures."""
    receipt = checkpoints.apply.get(**wildcards).output.receipt
    return session.follow_ups(receipt)


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
    shell:
        "touch {output.settled:q} 2> {log:q}"


checkpoint put_back:
    """Put pictures that were paid for and are no longer in place back from what is stored."""
    output:
        done="results/{operation}/put-back/{batch}.json",
    log:
        "logs/{operation}/put-back/{batch}.log",
    shell:
        "{CHARGEN} put-back --run {session.run_folder:q} {wildcards.batch} {output.done:q} 2> {log:q}"


def put_back_follow_ups(wildcards):
    """Return the chains of what waited for pictures that were put back."""
    return session.follow_ups(checkpoints.put_back.get(**wildcards).output.done)


rule settle_put_back:
    """Close the putting back of one batch's pictures once everything that waited for them is settled."""
    input:
        done="results/{operation}/put-back/{batch}.json",
        follow_ups=put_back_follow_ups,
    output:
        settled="results/{operation}/put-back/{batch}.settled",
    log:
        "logs/{operation}/put-back/{batch}.settle.log",
    shell:
        "touch {output.settled:q} 2> {log:q}"
