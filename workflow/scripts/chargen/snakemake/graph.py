"""Functions for the rules while Snakemake builds its graph: files of a target, and chains that start again.

A *chain* is the series of steps that one batch goes through, from `plan.json` to `settled`, each of which leaves a file
in `results/<operation>/<batch>/`. A target needs the last file of each chain of its plan. Nothing here writes anything:
a dry run asks the same questions.

Methods that take ``wildcards`` are input functions of rules; Snakemake passes the argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from chargen.operations import SCENES
from chargen.operations.illustrate import ILLUSTRATE
from chargen.planning.plan import batches_of
from chargen.planning.remains import Remains
from chargen.planning.scene_plans import ScenePlan
from chargen.records.chains import FollowUps, PlannedLater
from chargen.records.documents import read_document
from chargen.report.run_report import is_outdated
from chargen.snakemake.context import REPORT, RESULTS, RunContext
from chargen.snakemake.messages import exit_on_error, exit_with
from chargen.snakemake.plans import Plans


class Graph:
    """Answers the questions of the rules of one run."""

    def __init__(self, context: RunContext, plans: Plans):
        self._context = context
        self._plans = plans
        self._marks: dict[tuple[str, str], list[str]] = {}

    # Inputs of target rules

    @exit_on_error("planning")
    def files_of_targets(self, wildcards: object) -> list[str]:
        """What a target that makes something needs: the report, which needs the end of every chain. Nothing if its plan
        is only shown."""
        self._context.check_arguments()
        if self._context.targets.only_show_plan:
            return []
        files = self.files_before_report(wildcards)
        return files if self._plans.incomplete() else [*files, str(REPORT)]

    @exit_on_error("planning")
    def job_files(self, wildcards: object) -> list[str]:
        """What `submitted` needs: one job file per batch. Nothing if its plan is only shown."""
        if self._context.targets.only_show_plan:
            return []
        return [
            file
            for batch in batches_of(self._plans.of(SCENES))
            for file in (*self._renewal_marks(SCENES, batch), str(RESULTS / SCENES / batch / "job.json"))
        ]

    @exit_on_error("planning")
    def files_before_report(self, wildcards: object) -> list[str]:
        """What the report waits for: all that the targets of this run ask for, and a mark if it is to be rewritten."""
        return [*self._settled_files_of_run(), *self._report_mark]

    @exit_on_error("planning")
    def make_shown_plans(self, wildcards: object) -> list[str]:
        """No files: only make sure that the plans that `planned` shows can be made, and all its targets be shown."""
        targets = self._context.targets
        if others := targets.not_allowed_with_planned:
            exit_with(
                f"`planned` only shows what other targets would make; {', '.join(others)} cannot "
                "be combined with it. Nothing was done. Remove one of the two"
            )
        for operation in targets.shown_operations():
            self._plans.of(operation)
        return []

    # Inputs and parameters of single steps

    @exit_on_error("planning")
    def settled_files(self, operation: str) -> list[str]:
        """The last file of each chain that the plan of *operation* needs."""
        plan = self._plans.of(operation)
        return self._chains(operation, batches_of(plan), plan.put_back, plan.lost)

    @exit_on_error("planning")
    def first_analyses(self, wildcards: object) -> list[str]:
        """The chains of the analyses with which `illustrate_all` begins."""
        return self.settled_files(ILLUSTRATE.looks)

    @property
    @exit_on_error("planning")
    def analyzes_first(self) -> bool:
        """Whether `illustrate_all` must wait for analyses before it knows what to generate, and with which prompts."""
        return bool(self.first_analyses(None))

    @exit_on_error("planning")
    def files_of_plan(self, path: str) -> list[str]:
        """The chains of a plan that was made during the run by the verb `next`, and whose batches are in *path*."""
        later = read_document(Path(path), PlannedLater)
        return self._chains(later.operation, later.batches, later.put_back, later.lost)

    @exit_on_error("planning")
    def files_of_follow_ups(self, path: str) -> list[str]:
        """The chains of the batches that follow from a step, as the file *path* lists them."""
        found = read_document(Path(path), FollowUps)
        return self._chains(found.operation, found.follow_ups, [])

    @exit_on_error("planning")
    def renewal_marks(self, wildcards: Any) -> list[str]:
        """What the first step of a batch waits for if its chain must begin again."""
        return self._renewal_marks(wildcards.operation, wildcards.batch)

    @exit_on_error("planning")
    def shown_plans(self) -> list[str]:
        """What `planned` shows: ``<operation>:<scope>,<scope>…``, as the verb takes them."""
        targets, scope = self._context.targets, self._context.settings.scope
        return [f"{operation}:{','.join(targets.scopes(operation, scope))}" for operation in targets.shown_operations()]

    @property
    def only_shows_plan(self) -> bool:
        """Whether nothing is to be made, as `planned` is among the targets."""
        return self._context.targets.only_show_plan

    @exit_on_error("looking at the profile")
    def profile_settings_not_in_force(self) -> list[str]:
        """The settings of the default profile that are overridden, in its words."""
        workflow = self._context.workflow
        execution, dag = workflow.execution_settings, workflow.dag_settings
        in_force = {
            "nolock": not execution.lock,
            "keep-going": execution.keep_going,
            "rerun-incomplete": dag.force_incomplete,
            "rerun-triggers: mtime": {str(trigger) for trigger in dag.rerun_triggers} == {"mtime"},
            "resources: waiting": "waiting" in workflow.resource_settings.resources,
        }
        return [name for name, is_so in in_force.items() if not is_so]

    # How the answers are found

    def _settled_files_of_run(self) -> list[str]:
        operations = self._context.targets.operations()
        if not operations:
            self._plans.of(SCENES)  # prints the status
            return []
        if self._context.targets.illustrate and not isinstance(self._plans.of(ILLUSTRATE.looks), Remains):
            return self._files_of_illustrate()
        return [file for operation in operations for file in self.settled_files(operation)]

    def _files_of_illustrate(self) -> list[str]:
        """The last file of `illustrate_all`; nothing if there is nothing to analyze and nothing to make."""
        if self.analyzes_first:
            self._plans.print_preview()
        elif not self.settled_files(ILLUSTRATE.makes):
            return []
        return [str(RESULTS / "illustrate" / self._context.run_id / "analyzed")]

    def _chains(
        self, operation: str, batches: Iterable[str], put_back: Iterable[str], lost: Iterable[str] = ()
    ) -> list[str]:
        """The last files of the chains of batches, of restoring pictures, and of looking for lost jobs."""
        run = self._context.run_id
        files = []
        for batch in batches:
            files += [*self._renewal_marks(operation, batch), str(RESULTS / operation / batch / "settled")]
        files += [str(RESULTS / operation / batch / f"put-back.{run}.settled") for batch in put_back]
        files += [str(RESULTS / operation / batch / f"looked-again.{run}.settled") for batch in lost]
        return files

    def _renewal_marks(self, operation: str, batch: str) -> list[str]:
        """The mark that a batch's chain begins again, if `results/` claims more than the state of this library knows.

        What lies there is then of another provider or library, whose equal batches have equal ids, or the state was
        deleted. Without the mark, Snakemake would find the files and take the batch for done.
        """
        if (operation, batch) not in self._marks:
            folder, files = RESULTS / operation / batch, self._context.state.batch(batch)
            stored = {
                "plan.json": files.plan,
                "requests.jsonl": files.requests,
                "job.json": files.job,
                "responses.jsonl": files.responses,
                "receipt.json": files.receipt,
                "settled": files.receipt,
            }
            unknown = not files.receipt.exists() and any(
                (folder / name).exists() and not known.exists() for name, known in stored.items()
            )
            plan = self._plans.known(operation)
            # A batch that was settled as lost and is in flight again.
            reopened = plan is not None and batch in plan.in_flight and (folder / "settled").exists()
            self._marks[operation, batch] = [self._mark(f"{operation}/{batch}")] if unknown or reopened else []
        return self._marks[operation, batch]

    @cached_property
    def _report_mark(self) -> list[str]:
        """The mark that the report is written again although it exists: because it is asked for, or out of date.

        A run whose main process was killed may have been completed by its jobs, without a report. And only a run that
        has something to do keeps by which older hashes words are known.
        """
        wanted = "report" in self._context.targets or is_outdated(self._context.state, REPORT)
        plan = self._plans.known(SCENES)
        wanted = wanted or (isinstance(plan, ScenePlan) and plan.has_words_to_keep)
        return [self._mark("report")] if REPORT.exists() and wanted else []

    def _mark(self, chain: str) -> str:
        """A file that no run has made before: what waits for it is made again, and all that depends on that."""
        return str(RESULTS / "renewed" / self._context.run_id / chain)
