"""report.json and failures.jsonl say what became of everything, with one run apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_world import EARLIER, RUN, World, make_world, png

from chargen.base import durable, failpoints
from chargen.base import schemas as schema
from chargen.base.errors import Place, Problem
from chargen.planning.plan import Stale
from chargen.report import run_report
from chargen.report.build import failure_lines, report_of
from chargen.report.documents import Failure, Report, RunPart, Share, Spent
from chargen.screens.review import ReviewFile
from schema_types import differences

ODA = "character/oda-brennick"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two characters: one picture in place, one stale and older, one refused, one on its way."""
    world = make_world(tmp_path)
    lamp = world.scene(f"{ODA}/lamp-room", title="The lamp room")
    market = world.scene(f"{ODA}/market-day")
    storm = world.scene(f"{ODA}/storm")
    quay = world.scene("character/tam-fell/quay")
    world.stand(lamp, "done", record={}, picture=png())
    old = world.stand(market, "done", record={}, picture=png(colour="red"))
    world.stand(storm, "failed", reason="image-safety")
    world.stand(quay, "in flight", batch="f" * 16)
    world.stale.append(Stale(old, 0.067))
    world.receipt("1" * 16, [world.outcome(market.target)], run=EARLIER)
    world.receipt("2" * 16, [world.outcome(lamp.target), world.outcome(storm.target, "failed")])
    world.in_flight("f" * 16, [quay.target])
    return world


def report(world: World, run_id: str = RUN) -> Report:
    return report_of(world.survey(run_id))


def run_of(built: Report) -> RunPart:
    """The run apart, which is there."""
    assert built.run
    return built.run


def test_fits_its_schema(world: World) -> None:
    """What is written is what the schema promises, and so are the receipts that it is made from."""
    built = report(world)
    receipts = [durable.read_json(files.receipt) for files in world.state.batches() if files.receipt.exists()]
    failures = list(failure_lines(world.survey(RUN)))

    assert schema.errors("report", built.to_json()) == []
    assert [schema.errors("receipt", receipt) for receipt in receipts] == [[], []]
    assert [schema.errors("failure", line.to_json()) for line in failures] == [[]]


@pytest.mark.parametrize(("kind", "name"), [(Report, "report"), (Failure, "failure"), (ReviewFile, "reviews")])
def test_types_and_schemas_say_the_same(kind: type, name: str) -> None:
    """Each key of the type is in the schema, with the same type, and none is only there."""
    assert [] == differences(kind, schema.load_schema(name))


def test_what_is_written_is_read_again(world: World) -> None:
    """Reports and failures become equal objects again."""
    built = report(world)
    (failure,) = failure_lines(world.survey(RUN))

    assert built == Report.from_json(built.to_json())
    assert failure == Failure.from_json(failure.to_json())


def test_totals_are_the_plans(world: World) -> None:
    """Totals count every picture that the library asks for; what was in place before the run was skipped."""
    totals = report(world).totals

    assert (4, 2, 1) == (totals.wanted, totals.applied, totals.skipped)
    assert (1, 1, 1, 0) == (totals.failed, totals.in_flight, totals.stale, totals.missing)
    assert {"generate"} == totals.operations.keys()
    assert totals.operations["generate"].wanted == 4


def test_the_run_stands_apart(world: World) -> None:
    """The run counts what it brought to an end; everything from before stays in batches and tasks."""
    built = report(world)
    run = run_of(built)

    assert (RUN, ("generate_all",), "gemini") == (run.id, run.targets, run.provider)
    assert (2, 1, 1) == (run.counts.tasks, run.counts.applied, run.counts.failed)
    assert Spent(estimated=0.134, actual=0.067) == run.cost_usd
    assert built.cost_usd.estimated == 0.201
    assert built.cost_usd.actual == 0.134
    assert [(batch.id, batch.state) for batch in built.batches] == [
        ("1" * 16, "SUCCEEDED"),
        ("2" * 16, "SUCCEEDED"),
        ("f" * 16, "IN_FLIGHT"),
    ]


def test_without_a_run_the_last_one_is_reported(world: World) -> None:
    """Asked for by itself, the report shows the youngest run with a receipt, and is the same each time."""
    first = report(world, "")

    assert first == report(world, "")
    assert (run_of(first).id, run_of(first).duration_s) == (RUN, 365.0)


def test_nothing_made_yet(tmp_path: Path) -> None:
    """Before the first run there is no run to show, and everything counts zero."""
    built = report(make_world(tmp_path), "")

    assert schema.errors("report", built.to_json()) == []
    assert built.run is None
    assert built.totals.wanted == 0


def test_each_wish_has_one_record_with_all_its_attempts(tmp_path: Path) -> None:
    """The last attempt counts; what earlier attempts took is counted in."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp-room")
    world.stand(scene, "done", record={}, picture=png())
    first = world.outcome(scene.target, "passing", cost_usd=0.01, reason="unavailable")
    world.receipt("1" * 16, [first], run=EARLIER, follow_ups=["2" * 16])
    world.receipt("2" * 16, [world.outcome(scene.target, attempt=2)])

    (task,) = report(world).tasks

    assert ("applied", 2, 0.077, "2" * 16) == (task.outcome, task.attempts, task.cost_usd, task.batch)


def test_a_picture_outlasts_a_later_failure(tmp_path: Path) -> None:
    """A wish that has its picture is not failed because somebody sent it once more."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp-room")
    world.stand(scene, "done", record={}, picture=png())
    world.receipt("1" * 16, [world.outcome(scene.target)], run=EARLIER)
    world.receipt("2" * 16, [world.outcome(scene.target, "failed")])

    (task,) = report(world).tasks

    assert (task.outcome, task.attempts) == ("applied", 2)


def test_passing_with_no_attempt_left_has_failed(tmp_path: Path) -> None:
    """What failed temporarily is a failure once its attempts are used up, and not before."""
    world = make_world(tmp_path, retry={"max_attempts": 3})
    gone, going = world.scene(f"{ODA}/gone"), world.scene(f"{ODA}/going")
    world.stand(gone, "failed", reason="unavailable")
    world.stand(going, "wanted", attempt=3)
    world.receipt(
        "1" * 16, [world.outcome(gone.target, "passing", attempt=3), world.outcome(going.target, "passing", attempt=2)]
    )

    outcomes = {task.target: task.outcome for task in report(world).tasks}

    assert {gone.target: "failed", going.target: "passing"} == outcomes


def test_failures_that_were_edited_away_are_settled(world: World) -> None:
    """Once its scene is edited or taken out, an old failure is history: a task, and no line of failures.jsonl."""
    edited = world.scene(f"{ODA}/edited")
    world.stand(edited, "wanted", spec="sha256:2")
    world.receipt("3" * 16, [world.outcome(edited.target, "failed"), world.outcome(f"{ODA}/taken-out", "failed")])
    survey = world.survey(RUN)

    tasks = report(world).tasks

    assert [f"{ODA}/storm"] == [line.target for line in failure_lines(survey)]
    assert {f"{ODA}/edited", f"{ODA}/taken-out"} == {task.target for task in tasks if task.settled}


def test_failures_of_a_broken_entity_stay_open(world: World) -> None:
    """An entity that cannot be read at present has not taken back what it asked for."""
    world.broken = ("character/mira",)
    world.receipt("3" * 16, [world.outcome("character/mira/attic", "failed")])
    survey = world.survey(RUN)

    assert "character/mira/attic" in [line.target for line in failure_lines(survey)]


def test_a_failure_says_where_to_edit_and_what_the_api_said(world: World) -> None:
    """A line of failures.jsonl has all that a person needs to fix the scene."""
    (line,) = failure_lines(world.survey(RUN))

    expected = ("characters/oda-brennick/imagery.yaml:11", "finishReason IMAGE_SAFETY", "Paint storm.", 1)
    assert expected == (line.written_in, line.said, line.prompt, line.attempts)


def test_lost_tasks_are_failures(tmp_path: Path) -> None:
    """Paid for and gone on the server: reported, never forgotten."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp-room")
    world.stand(scene, "failed", reason="lost")
    world.receipt("1" * 16, [world.outcome(scene.target, "lost", reason="lost")], state="LOST", error="gone")

    (line,) = failure_lines(world.survey(RUN))

    assert (line.outcome, line.reason) == ("lost", "lost")


def test_costs_by_model_and_entity(world: World) -> None:
    """The bill adds up by model and by entity, dearest first."""
    cost = report(world).cost_usd

    bill = {"requests": 3, "estimated": 0.201, "actual": 0.134, "off_percent": -33.3}
    assert (Share(name="gemini-3-pro-image", **bill),) == cost.by_model
    assert (Share(name=ODA, **bill),) == cost.by_entity
    assert (cost.in_flight, cost.stale, cost.batch_discount) == (0.067, 0.067, 0.5)


def test_other_operations_are_counted_by_what_was_sent(world: World) -> None:
    """Operations that the plan does not cover count their own tasks, apart from the library's pictures."""
    task = world.outcome("character/oda-brennick/images", "failed")
    world.receipt("4" * 16, [task], operation="analyze")

    totals = report(world).totals

    assert totals.wanted == 4
    analyses = totals.operations["analyze"]
    assert (1, 0, 1) == (analyses.wanted, analyses.applied, analyses.failed)


def test_problems_are_errors_and_warnings(world: World) -> None:
    """Errors and warnings of the plan keep their place; receipts' warnings name their batch."""
    place = Place("characters/x/imagery.yaml", 12, 7, "scenes[0]")
    world.problems += [
        Problem("error", "invalid-yaml", "is not YAML", place, "fix it", "character/x", effect="entity skipped"),
        Problem("warning", "no-portrait", "has no portrait", place),
    ]
    world.receipt("3" * 16, [], warnings=["two lines came for one key"])

    built = report(world)

    assert [(e.code, e.line, e.effect) for e in built.errors] == [("invalid-yaml", 12, "entity skipped")]
    assert [(w.code, w.batch) for w in built.warnings] == [("no-portrait", ""), ("receipt", "3" * 16)]


def test_an_unreadable_receipt_is_an_error_not_a_crash(world: World) -> None:
    """One receipt that cannot be read does not hide the others."""
    path = world.state.batch("9" * 16).receipt
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")

    built = report(world)

    assert [error.code for error in built.errors] == ["unreadable-state"]
    assert len(built.batches) == 3


def test_in_flight_tasks_are_waiting(world: World) -> None:
    """What is on its way has a record too: every task ends, or waits."""
    waiting = [task for task in report(world).tasks if task.outcome == "waiting"]

    assert [(task.target, task.batch, task.attempts) for task in waiting] == [("character/tam-fell/quay", "f" * 16, 1)]


def test_out_of_scope_only_the_youngest_failure_is_open(world: World) -> None:
    """Of a scene that the plan leaves out, what was sent last counts; what it replaced is settled."""
    scene = world.scene(f"{ODA}/elsewhere")
    world.receipt("3" * 16, [world.outcome(scene.target, "failed", spec="sha256:old")], run=EARLIER)
    world.receipt("4" * 16, [world.outcome(scene.target, "failed", spec="sha256:new")])
    survey = world.survey(RUN)

    batches = [line.batch for line in failure_lines(survey) if line.target == scene.target]

    assert ["4" * 16] == batches


def test_a_second_run_may_remove_the_report_to_write_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Snakemake removes outputs before it runs a job: another run in the same folder does that at any moment."""
    written = world.results / "report.json"
    monkeypatch.setattr("chargen.operations.generate.plan.make_plan", lambda settings, **how: world.plan())
    monkeypatch.setattr(failpoints, "reached", lambda point: point == "reported" and written.unlink())

    built = run_report.report(world.settings, world.state, world.state.run(RUN), world.results)

    assert not written.exists()
    durable.write_json(written, built.to_json())
    assert not run_report.is_outdated(world.state, written)
    durable.write_json(written, {})
    assert run_report.is_outdated(world.state, written)
    written.unlink()
    assert run_report.is_outdated(world.state, written)
