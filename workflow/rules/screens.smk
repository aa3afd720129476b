# The screens: commands for a person, separate from a run. Each is a module of chargen.screens with the same name.
# None of them needs a plan, and none is recorded as a run.


rule jobs:
    """List all batch jobs of the key: state, progress, age, owner, orphans. --config format=json"""
    log:
        "logs/jobs.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} jobs --run {params.run:q} 2> {log:q}"


rule storage:
    """List the uploaded files: size, age, expiry, which batch needs them, storage used."""
    log:
        "logs/storage.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} storage --run {params.run:q} 2> {log:q}"


rule history:
    """List the runs with time, targets, counts and cost; one in detail: --config run_id=<run>."""
    log:
        "logs/history.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} history --run {params.run:q} 2> {log:q}"


rule failures:
    """List failed pictures that are still wanted, by reason, with the command that orders them again."""
    log:
        "logs/failures.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} failures --run {params.run:q} 2> {log:q}"


rule cleanup:
    """Cancel and delete on the server: --config cancel=|delete=|files= [older_than_h=], then confirm=true."""
    log:
        "logs/cleanup.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} cleanup --run {params.run:q} 2> {log:q}"


rule watch:
    """Show the batches in flight live until they end, in a second terminal."""
    log:
        "logs/watch.log",
    localrule: True
    threads: 0
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} watch --run {params.run:q} 2> {log:q}"


rule prices:
    """Show models, prices and their date."""
    log:
        "logs/prices.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} prices --run {params.run:q} 2> {log:q}"


rule doctor:
    """Check key, configuration, models, library, disk, versions and clock."""
    log:
        "logs/doctor.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
        overridden=lambda wildcards: graph.profile_settings_not_in_force(),
    shell:
        "{params.chargen} doctor --run {params.run:q} --overridden {params.overridden:q} 2> {log:q}"


rule init:
    """Create a small example library:  --config library=my-story."""
    log:
        "logs/init.log",
    localrule: True
    params:
        chargen=CHARGEN,
        run=RUN_FOLDER,
    shell:
        "{params.chargen} init --run {params.run:q} 2> {log:q}"
