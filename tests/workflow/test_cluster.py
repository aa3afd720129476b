"""Each step as a job of a cluster: a process of its own that reads the Snakefile again."""

from __future__ import annotations

import pytest

from conftest import ROOT

pytestmark = [pytest.mark.workflow, pytest.mark.soak]

PICTURES = 6


def test_each_step_is_a_job_of_its_own(project):
    """What steps need of the run comes with them: the same pictures, in one job on the server."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    options = ("--executor", "cluster-generic", "--cluster-generic-submit-cmd", "sh", "--jobs", "4")
    project.run(options=options)
    again = project.run(options=options).stdout

    assert PICTURES == len(project.pictures())
    assert 1 == project.emulator.count("create")
    assert "Nothing to be done" in again


def test_the_slurm_profile_holds(project):
    """Slurm's plugin and the Snakefile take what the profile says."""
    pytest.importorskip("snakemake_executor_plugin_slurm")
    planned = project.run(options=("--profile", str(ROOT / "profiles" / "slurm"), "-n")).stdout

    assert "  submit           generate " in planned
