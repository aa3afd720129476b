rule order:
    """Order pictures again: --config scenes='character/oda-*/*' [state=stale|failed|missing|done|adopted]."""
    input:
        session.pinned,
    log:
        "logs/order.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=session.run_folder,
        shown=lambda wildcards: "--show" if session.only_shows else "",
    shell:
        "{params.chargen} order --run {params.run:q} {params.shown} 2> {log:q}"


rule collect:
    """Download and place the results of one job: --config job=<name, display name or batch id>."""
    input:
        session.pinned,
    log:
        "logs/collect.log",
    params:
        chargen=CHARGEN,
        run=session.run_folder,
    shell:
        "{params.chargen} collect --run {params.run:q} 2> {log:q}"
