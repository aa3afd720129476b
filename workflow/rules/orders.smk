rule order:
    """Order pictures again: --config scenes='character/oda-*/*' [state=stale|failed|missing|done|adopted]."""
    input:
        session.pinned,
    log:
        "logs/order.log",
    shell:
        "{CHARGEN} order --run {session.run_folder:q} 2> {log:q}"


rule collect:
    """Download and place the results of one job: --config job=<name, display name or batch id>."""
    input:
        session.pinned,
    log:
        "logs/collect.log",
    shell:
        "{CHARGEN} collect --run {session.run_folder:q} 2> {log:q}"
