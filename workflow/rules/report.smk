rule report:
    """Write results/report.html, report.json and failures.jsonl: what was made, what it cost, what failed."""
    input:
        session.settled,
    output:
        json=shown("results/report.json", "numbers.rst", "pictures, costs, batches"),
        html="results/report.html",
        failures=shown("results/failures.jsonl", "failures.rst", "failures"),
    log:
        "logs/report.log",
    params:
        chargen=CHARGEN,
        run=session.run_folder,
    shell:
        "{params.chargen} report --run {params.run:q} results 2> {log:q}"
