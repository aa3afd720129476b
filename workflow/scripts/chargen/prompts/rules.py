"""The user's rules for prompts: `config/prompts.yaml` and `config/styles.yaml`, checked and compiled.

jinja2, yaml and jsonschema_rs are imported when rules are loaded, not with this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from chargen.base import schemas as schema
from chargen.base.durable import canonical
from chargen.base.errors import CannotPlan
from chargen.base.frozen import frozen
from chargen.base.layers import merged
from chargen.base.yaml_text import InvalidYaml, lines_of, read_plain
from chargen.library.model import Kind, Weight
from chargen.prompts import text as words_of
from chargen.prompts.fitting import Budget, Part

if TYPE_CHECKING:
    from jinja2 import Environment, Template


PART_END = "\x1e"
"""Stands after each part in what `Rules.template` renders."""


class RulesError(CannotPlan):
    """`prompts.yaml` or `styles.yaml` cannot be used; the message names file, key or section, and fault."""


@frozen
class PeopleRule:
    """Characters for a person with a portrait and without, and for all; features; portraits without a warning."""

    with_portrait: int
    without: int
    all: int
    features: int
    portraits: int


@frozen
class WeightRule:
    """What a scene's weight gives it: words for the finish."""

    phrase: str


@frozen
class Scenario:
    """What applies to all scenes of one kind of entity that do not say otherwise themselves."""

    phrase: str
    aspect_ratio: str
    image_size: str


@frozen
class ArtDirection:
    """The look of the whole library; absent texts are ``""``."""

    north_star: str
    medium: str
    light: str
    colour: str
    composition: str
    signature_colours: tuple[str, ...]
    forbidden_colours: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Styles:
    """`styles.yaml`. ``moods`` and ``milder`` are keyed by normalised text (see `text.normalised`)."""

    weights: Mapping[Weight, WeightRule]
    scenarios: Mapping[Kind, Scenario]
    image_kinds: Mapping[str, str]
    moods: Mapping[str, tuple[str, ...]]
    art: ArtDirection
    style_images: tuple[str, ...]  # paths below the library root
    negatives: tuple[str, ...]
    openings: tuple[str, ...]
    milder: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Everything that turns a scene into a prompt. Made by `load_rules`; serves any number of prompts.

    ``template`` holds all parts, each followed by `PART_END`: one pass is faster than one for each.
    """

    prompts_path: Path
    styles_path: Path
    parts: tuple[Part, ...]
    targets: Mapping[str, int]  # the length of each section, in order
    budget: Budget
    people: PeopleRule
    most_negatives: int
    template: Template
    roles: Mapping[str, Template]
    styles: Styles
    globals: Mapping[str, Any]
    look: Mapping[str, Any]
    """What holds under the keys of `styles.yaml`, as data."""


def load_rules(prompts_path: Path, styles_path: Path, look: Mapping[str, Any] | None = None) -> Rules:
    """Read and check both files and compile their templates. *look* goes before `styles.yaml`, key by key.

    The same contents give the same object. Raises `RulesError` for a file that is missing, is not YAML, breaks
    its schema, or holds a template that does not compile or names something that templates are not given.
    """
    return _rules(prompts_path, styles_path, _read(prompts_path), _read(styles_path), canonical(look or {}))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RulesError(f"{path}: cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=8)
def _rules(prompts_path: Path, styles_path: Path, prompts_bytes: bytes, styles_bytes: bytes, look: bytes) -> Rules:
    _refuse_version_1(prompts_path, prompts_bytes)
    prompts = _checked(prompts_path, prompts_bytes, "prompts")
    of_styles = _checked(styles_path, styles_bytes, "styles", orjson.loads(look))
    styles = _styles(of_styles)
    environment = _environment()
    parts = _parts(prompts_path, prompts["sections"])
    rules = Rules(
        prompts_path=prompts_path,
        styles_path=styles_path,
        parts=parts,
        targets={section["name"]: section["target"] for section in prompts["sections"]},
        budget=Budget(**prompts["budget"]),
        people=PeopleRule(**prompts["people"]),
        most_negatives=prompts["negatives"]["most"],
        template=_joined(environment, prompts_path, parts),
        roles={
            role: _compiled(environment, prompts_path, f"reference_roles.{role}", source)
            for role, source in prompts["reference_roles"].items()
        },
        styles=styles,
        globals=dict(environment.globals),
        look=of_styles,
    )
    _try_out(rules)
    return rules


def part_templates(rules: Rules) -> Iterator[tuple[Part, Template]]:
    """Each part with a template of its own, to find out which of them is at fault."""
    for part in rules.parts:
        yield part, _compiled(rules.template.environment, rules.prompts_path, f"part {part.name!r}", part.source)


def _refuse_version_1(path: Path, content: bytes) -> None:
    """Raise `RulesError` for a file of the form of 0.1.0, which says sections without parts."""
    try:
        data = read_plain(content)
    except InvalidYaml:
        return
    if isinstance(data, dict) and data.get("version") == 1:
        raise RulesError(
            f"{path}: version: 1 is the form of 0.1.0, whose sections had no parts. Move the file away, copy "
            f"{schema.ROOT / 'config' / 'prompts.yaml'} to its place, and write your changes into that"
        )


def _parts(path: Path, sections: list[dict[str, Any]]) -> tuple[Part, ...]:
    for index, section in enumerate(sections):
        if section["name"] in {other["name"] for other in sections[:index]}:
            name = section["name"]
            raise RulesError(f"{path}: sections[{index}].name: {name!r} is used twice: section names must be unique")
    parts = [
        Part(section=section["name"], source=part["template"], **{key: part[key] for key in part if key != "template"})
        for section in sections
        for part in section["parts"]
    ]
    names = [part.name for part in parts]
    for part in parts:
        if names.count(part.name) > 1:
            raise RulesError(f"{path}: sections: the part {part.name!r} is there twice: names of parts must be unique")
        if part.beside and part.beside not in names:
            raise RulesError(f"{path}: sections: part {part.name!r}: beside: there is no part {part.beside!r}")
    return tuple(parts)


def _joined(environment: Environment, path: Path, parts: tuple[Part, ...]) -> Template:
    """One template of all parts; ``with`` keeps what one of them sets from the others."""
    from jinja2 import TemplateSyntaxError

    source = "".join(f"{{% with %}}{item.source}{{% endwith %}}{PART_END}" for item in parts)
    try:
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        for item in parts:
            _compiled(environment, path, f"part {item.name!r}", item.source)
        raise RulesError(f"{path}: sections: {error.message}") from error


def _styles(data: dict[str, Any]) -> Styles:
    art = data["art_direction"]
    negatives = data["negatives"]
    return Styles(
        weights={weight: WeightRule(rule.get("phrase", "")) for weight, rule in data["weights"].items()},
        scenarios={
            kind: Scenario(rule.get("phrase", ""), rule["aspect_ratio"], rule["image_size"])
            for kind, rule in data["scenarios"].items()
        },
        image_kinds=dict(data.get("image_kinds", {})),
        moods={words_of.normalised(mood): tuple(phrases) for mood, phrases in data.get("moods", {}).items()},
        art=ArtDirection(
            north_star=art.get("north_star", ""),
            medium=art.get("medium", ""),
            light=art.get("light", ""),
            colour=art.get("colour", ""),
            composition=art.get("composition", ""),
            signature_colours=tuple(art.get("signature_colours", ())),
            forbidden_colours=tuple(art.get("forbidden_colours", ())),
        ),
        style_images=tuple(art.get("style_images", ())),
        negatives=tuple(negatives.get("base", ())),
        openings=tuple(sorted((item.casefold() for item in negatives.get("openings", ())), key=len, reverse=True)),
        milder={words_of.normalised(ban): tuple(instead) for ban, instead in negatives.get("milder", {}).items()},
    )


def _environment() -> Environment:
    from jinja2 import StrictUndefined, pass_context
    from jinja2.runtime import Context
    from jinja2.sandbox import SandboxedEnvironment

    from chargen.prompts.composer import template_fields

    plain = template_fields()

    @pass_context
    def unsaid(context: Context, said: str | Iterable[str]) -> str | tuple[str, ...]:
        earlier: words_of.Said = context.parent["said"]
        if isinstance(said, str):
            return earlier.unsaid(said)
        return tuple(filter(None, map(earlier.unsaid, said)))

    class Sandbox(SandboxedEnvironment):
        """Jinja's sandbox with a short way to the fields of our own objects, which most look-ups are for."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            try:
                if attribute in plain[type(obj)]:
                    return getattr(obj, attribute)
            except KeyError:
                pass
            return super().getattr(obj, attribute)

    environment = Sandbox(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False, cache_size=0
    )
    environment.filters.update(
        unsaid=unsaid,
        sentence=words_of.sentence,
        sentences=words_of.sentences,
        series=words_of.series,
        pairs=words_of.pairs,
        shorten=words_of.shorten,
        one_line=words_of.one_line,
        words=words_of.words,
    )
    return environment


def _compiled(environment: Environment, path: Path, where: str, source: str) -> Template:
    from jinja2 import TemplateSyntaxError

    try:
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        raise RulesError(f"{path}: {where}, line {error.lineno} of the template: {error.message}") from error


def _try_out(rules: Rules) -> None:
    """Compose for made-up scenes, so that a misspelt name in a template is found before any planning."""
    from chargen.prompts.composer import compose
    from chargen.prompts.probes import probes

    for probe in probes():
        compose(rules, *probe)


def _checked(path: Path, content: bytes, name: str, look: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The data of a YAML file, with what *look* says instead, that satisfies ``schemas/<name>.schema.json``."""
    try:
        data = read_plain(content)
    except InvalidYaml as error:
        raise RulesError(f"{path}{error}") from error
    if look and isinstance(data, dict):
        data = merged(data, look)
    if faults := sorted(schema.errors(name, data)):
        lines = lines_of(content)
        raise RulesError("\n".join(_fault(path, lines, key, message) for key, message in faults))
    result: dict[str, Any] = data
    return result


def _fault(path: Path, lines: Mapping[str, int], key: str, message: str) -> str:
    line = f":{lines[key]}" if key in lines else ""
    return f"{path}{line}: {key or 'the whole file'}: {message}"
