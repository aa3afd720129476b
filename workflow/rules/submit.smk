rule submit:
    """Create the one remote job of a batch: the only step that spends money."""
    input:
        requests="results/{operation}/{batch}/requests.jsonl",
    output:
        job="results/{operation}/{batch}/job.json",
    log:
        "logs/{operation}/{batch}/submit.log",
    priority: 2
    # No automatic retry: the step itself decides which request may be repeated.
    retries: 0
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} submit --run {params.run:q} {wildcards.batch} {output.job:q} 2> {log:q}"
