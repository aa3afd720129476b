"""What is stored has one shape: the types say what the schemas say, and take back what they write."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import builders
from chargen.base import schemas as schema
from chargen.base.reading import WrongShape
from chargen.operations.analyze.extra import AnalysisExtra
from chargen.operations.enhance.extra import EnhancementExtra
from chargen.operations.generate.extra import GenerationExtra
from chargen.records.batch import BatchEnd, BatchJob, BatchPlan, Receipt, Task
from chargen.records.extras import AnalysisOutcome
from chargen.records.identity import Wish
from chargen.records.journal_lines import EVENTS

STATES = Path(__file__).resolve().parents[1] / "fixtures" / "states"
ADDED_BY_OPERATIONS = {
    "plan.tasks[]": (GenerationExtra, AnalysisExtra, EnhancementExtra),
    "receipt.tasks[]": (AnalysisOutcome,),
}
"""What single operations say besides, as types of their own."""


def documents(kind):
    """The documents of that name in the states that earlier versions left."""
    return sorted(STATES.glob(f"*/*/home/state/*/*/batches/*/{kind}"))


def objects(rule, root, at):
    """Every object that a schema describes, with where it stands."""
    rule = root["$defs"][rule["$ref"].rsplit("/", 1)[1]] if "$ref" in rule else rule
    for one in rule.get("oneOf", ()):
        yield from objects(one, root, at)
    if "properties" in rule:
        yield at, rule
        for name, inner in rule["properties"].items():
            yield from objects(inner, root, f"{at}.{name}")
    if "items" in rule:
        yield from objects(rule["items"], root, f"{at}[]")


def types(kind, at):
    """Every dataclass that a document is made of, with where it stands."""
    yield at, kind
    for name, hint in get_type_hints(kind).items():
        for one in (hint, *get_args(hint)):
            if isinstance(one, type) and is_dataclass(one):
                yield from types(
                    one, f"{at}.{name}[]" if one in get_args(hint) and "tuple" in str(hint) else f"{at}.{name}"
                )


@pytest.mark.parametrize(("name", "kind"), [("plan", BatchPlan), ("receipt", Receipt)])
def test_the_schema_has_the_keys_of_the_type(name, kind):
    """Every object of the schema has a type with just its keys, in plans and receipts alike."""
    root = schema.load_schema(name)
    shapes = {at: set(rule["properties"]) for at, rule in objects(root, root, name)}
    known = {at: {item.name for item in fields(one)} - {"extra"} for at, one in types(kind, name)}
    for at, added in ADDED_BY_OPERATIONS.items():
        if at in known:
            known[at] |= {item.name for one in added for item in fields(one)}

    assert {f"{name}.tasks[]", f"{name}.tasks[].references[]"} <= known.keys()
    for at, keys in known.items():
        assert keys == shapes[at], at


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("plan", builders.plan()),
        ("plan", builders.plan(builders.task(references=(builders.reference(max_side=3072),)))),
        ("receipt", builders.receipt()),
        ("receipt", builders.receipt(builders.outcome(outcome="failed", file=""))),
    ],
)
def test_what_is_written_fits_the_schema(name, document):
    """A document of the type, every key of it, is one of the schema; read back, it is the same."""
    data = json.loads(json.dumps(document.to_json()))

    assert [] == schema.errors(name, data)
    assert document == type(document).from_json(data)


@pytest.mark.parametrize(
    ("name", "kind"), [("plan.json", BatchPlan), ("receipt.json", Receipt), ("ended.json", BatchEnd)]
)
def test_documents_of_earlier_versions_are_read(name, kind):
    """Nothing that they say is lost or changed, in the order in which it stands."""
    found = documents(name)

    assert found
    for path in found:
        before = json.loads(path.read_text())
        after = json.loads(json.dumps(kind.from_json(before).to_json()))
        assert before == known_of(before, after), path


def known_of(before, after):
    """*after* with the keys of *before* alone: later versions wrote more."""
    if isinstance(before, dict):
        return {key: known_of(before[key], after[key]) for key in before}
    if isinstance(before, list):
        return [known_of(one, other) for one, other in zip(before, after, strict=True)]
    return after


def test_keys_of_single_operations_are_kept():
    """What the type does not know stands beside what it knows, and is written again."""
    data = builders.task().to_json() | {"grain": "fine"}

    assert data == Task.from_json(data).to_json()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "tasks is missing"),
        ({"tasks": 3}, "tasks should be a list"),
        ({"tasks": [{"wish": {"target": 3}}]}, r"tasks\[0\].wish.target should be text"),
    ],
)
def test_what_does_not_fit_names_its_key(data, words):
    """A damaged plan is refused with the key that is wrong."""
    with pytest.raises(WrongShape, match=words):
        BatchPlan.from_json(data)


@pytest.mark.parametrize("said", [{}, {"batch": "b", "job": ""}, {"job": None}])
def test_an_old_job_file_has_no_name(said):
    """Version 0.1.0 wrote an empty name for a batch that needed no job."""
    assert "" == BatchJob.from_json(said).job


def test_every_event_is_in_the_schema():
    """The journal's schema describes the lines that the types read, and no others."""
    described = {rule["properties"]["event"]["const"] for rule in schema.load_schema("journal")["oneOf"]}

    assert described == set(EVENTS)


def test_one_wish_is_one_type():
    """A task holds the very wish that the planner made."""
    assert isinstance(Task.from_json(builders.task().to_json()).wish, Wish)
