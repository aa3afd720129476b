rule fetch:
    """Wait for one remote job and download its result lines; bring in whatever else has ended."""
    input:
        job="results/{operation}/{batch}/job.json",
    output:
        responses="results/{operation}/{batch}/responses.jsonl",
    log:
        "logs/{operation}/{batch}/fetch.log",
    # Waits on the network; the profile bounds how many places of the pool waiting may take.
    threads: 0
    resources:
        waiting=1,
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} fetch --run {params.run:q} {wildcards.batch} {output.responses:q} 2> {log:q}"
