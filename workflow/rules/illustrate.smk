"""illustrate_all: analyses, then generation that uses them, then analyses of the new pictures.

Each plan depends on the results before it, so each plan after the first is a checkpoint.
"""


localrules:
    illustrate_all,


rule illustrate_all:
    """Analyse existing pictures, make missing ones using the analyses, then analyse the new ones."""
    input:
        graph.files_of_targets,


rule look_first:
    """Finish the analyses that illustrate_all starts with."""
    input:
        graph.first_analyses,
    output:
        looked="results/illustrate/{run}/looked",
    log:
        "logs/illustrate/{run}/looked.log",
    localrule: True
    shell:
        "touch {output.looked:q} 2> {log:q}"


checkpoint plan_generation:
    """Plan the generation, using the analyses."""
    input:
        looked="results/illustrate/{run}/looked",
    output:
        plan="results/illustrate/{run}/generate.json",
    log:
        "logs/illustrate/{run}/generate.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} next --run {params.run:q} generate {output.plan:q} 2> {log:q}"


rule close_generation:
    """Finish the generation of illustrate_all."""
    input:
        generated_files,
    output:
        generated="results/illustrate/{run}/generated",
    log:
        "logs/illustrate/{run}/generated.log",
    localrule: True
    shell:
        "touch {output.generated:q} 2> {log:q}"


checkpoint plan_analysis:
    """Plan the analyses of the new pictures."""
    input:
        generated="results/illustrate/{run}/generated",
    output:
        plan="results/illustrate/{run}/analyze.json",
    log:
        "logs/illustrate/{run}/analyze.log",
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} next --run {params.run:q} analyze {output.plan:q} 2> {log:q}"


rule close_illustration:
    """Finish the last chain of illustrate_all."""
    input:
        second_analyses,
    output:
        analyzed="results/illustrate/{run}/analyzed",
    log:
        "logs/illustrate/{run}/analyzed.log",
    localrule: True
    shell:
        "touch {output.analyzed:q} 2> {log:q}"
