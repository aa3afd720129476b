rule renew:
    """Mark a chain that starts again: its files are from another provider or library, from a lost state, or out of date."""
    output:
        mark="results/renewed/{run}/{chain}",
    log:
        "logs/renewed/{run}/{chain}.log",
    localrule: True
    shell:
        "touch {output.mark:q} 2> {log:q}"


rule plan:
    """Show the stored plan of one batch: its tasks with prompts, references and cost."""
    input:
        graph.renewal_marks,
    output:
        plan="results/{operation}/{batch}/plan.json",
    log:
        "logs/{operation}/{batch}/plan.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} plan --run {params.run:q} {wildcards.batch} {output.plan:q} 2> {log:q}"


rule planned:
    """Print each picture that the other targets given would make, with prompt, references and cost. Spends nothing."""
    input:
        graph.make_shown_plans,
    log:
        "logs/planned.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
        of=lambda wildcards: graph.shown_plans(),
    shell:
        "{params.chargen} planned --run {params.run:q} --of {params.of:q} 2> {log:q}"
