rule fetch:
    """Wait for one remote job and download its result lines; also download other finished jobs."""
    input:
        job="results/{operation}/{batch}/job.json",
    output:
        responses="results/{operation}/{batch}/responses.jsonl",
    log:
        "logs/{operation}/{batch}/fetch.log",
    # Waits on the network; the profile limits how many waiting jobs run at once.
    threads: 0
    resources:
        waiting=1,
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} fetch --run {params.run:q} {wildcards.batch} {output.responses:q} 2> {log:q}"
