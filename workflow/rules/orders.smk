rule order:
    """Order pictures again: --config scenes='character/oda-*/*' [state=stale|recomposed|failed|missing|done|adopted]."""
    log:
        "logs/order.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
        shown=lambda wildcards: "--show" if graph.only_shows_plan else "",
    shell:
        "{params.chargen} order --run {params.run:q} {params.shown} 2> {log:q}"


rule collect:
    """Download and place the results of one job: --config job=<name, display name or batch id>."""
    log:
        "logs/collect.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} collect --run {params.run:q} 2> {log:q}"
