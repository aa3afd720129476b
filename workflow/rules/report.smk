rule report:
    """Write results/report.html, report.json and failures.jsonl: what was made, what it cost, what failed."""
    input:
        session.settled,
    output:
        json="results/report.json",
        html="results/report.html",
        failures="results/failures.jsonl",
    log:
        "logs/report.log",
    shell:
        "{CHARGEN} report --run {session.run_folder:q} results 2> {log:q}"
