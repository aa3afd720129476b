rule review:
    """Approve, reject or pick pictures: --config approve=<globs> reject=<globs> note='too dark' pick=<scene:2> reviews=<file>."""
    log:
        "logs/review.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} review --run {params.run:q} 2> {log:q}"
