rule renew:
    """Begin the chain of a batch again whose files are of another provider, another library or a lost state."""
    output:
        renewed="results/{operation}/{batch}/renewed.{run}",
    log:
        "logs/{operation}/{batch}/renew.{run}.log",
    shell:
        "touch {output.renewed:q} 2> {log:q}"


rule plan:
    """Show the pinned plan of one batch: its tasks with prompts, references and cost."""
    input:
        session.renewal,
    output:
        plan="results/{operation}/{batch}/plan.json",
    log:
        "logs/{operation}/{batch}/plan.log",
    params:
        chargen=CHARGEN,
        run=session.run_folder,
    shell:
        "{params.chargen} plan --run {params.run:q} {wildcards.batch} {output.plan:q} 2> {log:q}"


rule planned:
    """Print each picture that would be made, with prompt, references and cost. Spends nothing."""
    input:
        session.planned,
    log:
        "logs/planned.log",
    params:
        chargen=CHARGEN,
        run=session.run_folder,
    shell:
        "{params.chargen} planned --run {params.run:q} 2> {log:q}"
