rule stage:
    """Upload each distinct reference of a batch once and write its request lines."""
    input:
        plan="results/{operation}/{batch}/plan.json",
    output:
        requests="results/{operation}/{batch}/requests.jsonl",
    log:
        "logs/{operation}/{batch}/stage.log",
    priority: 2
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} stage --run {params.run:q} {wildcards.batch} {output.requests:q} 2> {log:q}"
