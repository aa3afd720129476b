rule plan:
    """Show the pinned plan of one batch: its tasks with prompts, references and cost."""
    output:
        plan="results/{operation}/{batch}/plan.json",
    log:
        "logs/{operation}/{batch}/plan.log",
    shell:
        "{CHARGEN} plan --run {session.run_folder:q} {wildcards.batch} {output.plan:q} 2> {log:q}"


rule planned:
    """Print each picture that would be made, with prompt, references and cost. Spends nothing."""
    input:
        session.planned,
    log:
        "logs/planned.log",
    shell:
        "{CHARGEN} planned --run {session.run_folder:q} 2> {log:q}"
