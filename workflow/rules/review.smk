rule review:
    """Approve, reject or pick pictures: --config approve=<globs> reject=<globs> note='too dark' pick=<scene:2> reviews=<file>."""
    input:
        session.pinned,
    log:
        "logs/review.log",
    params:
        chargen=CHARGEN,
        run=session.run_folder,
    shell:
        "{params.chargen} review --run {params.run:q} 2> {log:q}"
