rule write_report:
    """Write the report for this run's targets."""
    input:
        graph.files_before_report,
    output:
        json=shown("results/report.json", "numbers.rst", "pictures, costs, batches"),
        html="results/report.html",
        failures=shown("results/failures.jsonl", "failures.rst", "failures"),
    log:
        "logs/report.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} report --run {params.run:q} results 2> {log:q}"
