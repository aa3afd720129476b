"""One run of Snakemake as it was called: settings, targets, and the id and folder of the run. Writes nothing."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chargen import screens
from chargen.base.processes import announce_main_process
from chargen.operations import DEFAULT_TARGET
from chargen.records import settings as config
from chargen.records.arguments import check_arguments
from chargen.records.commands import called, command, said_at_command, typed_settings
from chargen.records.state import RunFiles, State
from chargen.snakemake import log_handler
from chargen.snakemake.messages import exit_on_error
from chargen.snakemake.targets import Targets

RESULTS = Path("results")
REPORT = RESULTS / "report.json"
RUN_VARIABLE = "CHARGEN_RUN"
"""Carries the id of the run from Snakemake's main process to those that it starts."""


class RunContext:
    """What the graph and the run have in common: how Snakemake was called, and where things are."""

    @exit_on_error("reading the configuration")
    def __init__(self, snakemake_config: Mapping[str, Any], home: Path, workflow: Any):
        self.workflow = workflow
        self.started = dt.datetime.now(dt.UTC)
        snakemake, given = called(workflow, home)
        settings = config.settings(typed_settings(snakemake_config, workflow), home, said_at_command(workflow))
        self.settings: config.Settings = replace(settings, snakemake=snakemake, given=given)
        self.state = State.of(self.settings)
        self.run_id = self._run_id()
        if self.is_main_process:
            announce_main_process()
            log_handler.known_rules = lambda: [rule.name for rule in workflow.rules]

    @property
    def is_main_process(self) -> bool:
        """Whether this process is the Snakemake that was called, and not one that runs a job for it."""
        return bool(self.workflow.is_main_process)

    @property
    def targets(self) -> Targets:
        """The targets of this call. Snakemake knows them once the Snakefile is read."""
        return Targets(frozenset(map(str, self.workflow.dag_settings.targets)) or frozenset({DEFAULT_TARGET}))

    def check_arguments(self) -> None:
        """Raise ChargenError for an argument of a command that none of the targets takes."""
        check_arguments(self.workflow.config_settings.config_args or (), self.targets.names, screens.names)

    @property
    def files(self) -> RunFiles:
        """Where the settings and plans of this run are stored."""
        return self.state.run(self.run_id)

    @property
    def run_folder(self) -> str:
        """The folder of `files`, relative to the working directory: what every step is given."""
        return os.path.relpath(self.files.folder)

    def command_again(self) -> str:
        """Return the command line that makes the same targets again."""
        return command(self.settings, str(self.targets))

    def _run_id(self) -> str:
        inherited = os.environ.get(RUN_VARIABLE, "")
        if inherited and not self.is_main_process:
            return inherited
        run = new_run_id(self.started)
        os.environ[RUN_VARIABLE] = run
        return run


def new_run_id(started: dt.datetime) -> str:
    """Return an id for a run that starts at *started* (UTC): sorted by time, and unique, on whatever machine.

    Shape: ``2026-11-21T17-58-00Z-123456``, three digits for milliseconds and three random ones. Version 0.1.0 left the
    digits out.
    """
    return f"{started:%Y-%m-%dT%H-%M-%SZ}-{started.microsecond // 1000:03}{secrets.randbelow(1000):03}"
