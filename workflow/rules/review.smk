rule review:
    """Approve, reject or pick pictures: --config approve=<globs> reject=<globs> note='too dark' pick=<scene:2> reviews=<file>."""
    input:
        session.pinned,
    log:
        "logs/review.log",
    shell:
        "{CHARGEN} review --run {session.run_folder:q} 2> {log:q}"
