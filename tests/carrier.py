"""Carries batches through a running emulator, step by step, as the verbs of the command line do."""

from __future__ import annotations

from chargen.base import durable
from chargen.base import schemas as schema
from chargen.operations import operation as find
from chargen.operations.pin import pin_batches
from chargen.providers.registry import connect
from chargen.records.state import State
from chargen.steps.apply import apply
from chargen.steps.fetch import fetch
from chargen.steps.submit import submit


class Carrier:
    """The batches of one library; jobs end at once."""

    def __init__(self, settings, emulator, **faults):
        """*faults* are sections of the emulator's plan besides ``job``."""
        self.settings = settings
        self.state = State.of(settings)
        self.run = self.state.run("2026-11-25T12-00-00Z")
        self.run.folder.mkdir(parents=True)
        emulator.faults(job={"seconds": 0, "polls": 0}, **faults)

    def pin(self, operation):
        """Plan *operation* and pin its batches; return their ids."""
        plan = find(operation).plan(self.settings, ["all"])
        return pin_batches(self.settings, self.state, plan.batches, plan.catalog)

    def carry(self, batch):
        """Submit, fetch and apply one batch; return its receipt."""
        files, remote = self.state.batch(batch), connect(self.settings)
        submit(self.settings, self.state, files, remote, self.run)
        fetch(self.settings, self.state, files, remote, None, self.run)
        receipt = apply(self.settings, self.state, files, self.run)
        schema.check("receipt", receipt.to_json(), "the receipt")
        return receipt

    def lines(self, batch):
        """The request lines of *batch*."""
        return list(durable.read_lines(self.state.batch(batch).requests))
