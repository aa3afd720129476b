"""Turning a scene into a task: model checked, references picked, prompt composed, key and cost known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from chargen.analysis.learn import Lessons
from chargen.base.errors import ChargenError, Problem
from chargen.library.model import Entity, Library, Scene
from chargen.library.slugs import match_zone
from chargen.operations.generate import Generate
from chargen.operations.generate.extra import GenerationExtra
from chargen.planning.picking import Picked
from chargen.planning.plan import Plan
from chargen.planning.sources import Sources
from chargen.planning.standing import Standing
from chargen.planning.tasks import Shape, Task
from chargen.prompts import COMPOSER
from chargen.prompts.composer import Around, CastMember, PlaceInfo, Prompt, SentReference, compose
from chargen.prompts.lint import lint
from chargen.prompts.rules import Rules
from chargen.prompts.text import normalised
from chargen.providers.models import ImageModel
from chargen.providers.parameters import Temperatures, hashed, sent_to
from chargen.records.batch import Reference, Replaced
from chargen.records.identity import digest, task_key

OPERATION = Generate.name
AROUND_VERSION = 1
"""Part of what `TaskMaker.around` hashes: counts up with what is read from the library for it."""


class TaskMaker:
    """Makes tasks from the scenes of a library."""

    def __init__(self, sources: Sources, rules: Rules, library: Library, lessons: Lessons, plan: Plan[Standing]):
        """*plan* notes what is to be known of the model."""
        self._lessons = lessons
        self._estimates = sources.estimates
        self._settings = sources.settings
        self._catalog = sources.catalog
        self._rules = rules
        self._library = library
        self._choice = sources.choice
        self._models: dict[str, ImageModel | str] = {}
        self._sent: dict[str, Mapping[str, Any]] = {}
        self._temperatures = Temperatures(sources.state, OPERATION, sources.choice)
        self._default = sources.model(sources.catalog.image_model, plan)

    def shape(self, scene: Scene) -> Shape | Problem:
        """Return what *scene* asks of its model, or why the model cannot do it."""
        model = self._model(scene.model) if scene.model else self._default
        if isinstance(model, str):
            return self._refuse(scene, "model", model)
        scenario = self._rules.styles.scenarios[self._library.entities[scene.entity].kind]
        ratio = scene.aspect_ratio or scenario.aspect_ratio
        size = scene.image_size or scenario.image_size
        if ratio not in model.ratios:
            return self._refuse(
                scene, "aspect_ratio", f"{model.name} cannot do {ratio}; it takes {', '.join(model.ratios)}"
            )
        if size not in model.sizes:
            return self._refuse(
                scene, "image_size", f"{model.name} cannot do {size}; it takes {', '.join(model.sizes)}"
            )
        price = self._estimates.picture(OPERATION, model, size, self._sent_to(model))
        if price is None:
            return self._refuse(
                scene,
                "image_size",
                f"{model.name} has no price for {size}: add it to {self._settings.models_file}",
            )
        return Shape(model, ratio, size, price.usd, price.less, price.more)

    def doubts(self, scene: Scene) -> Iterator[Problem]:
        """Yield what is to be warned of before *scene* is sent: a mood in one word that no style explains."""
        mood = scene.mood.strip()
        if mood and " " not in mood and normalised(mood) not in self._rules.styles.moods:
            yield Problem(
                "warning",
                "mood-without-style",
                f"mood {mood} has no style, so only its name is sent",
                scene.place,
                f"add it to moods in {self._settings.styles}",
                scene.entity,
                scene.id,
            )

    def compose(self, standing: Standing, shape: Shape, sent: tuple[Reference, ...]) -> Prompt:
        """Return the prompt of a scene when *sent* goes along, with the notes on what was rejected before."""
        scene = standing.scene
        around = Around(
            self._library.entities[scene.entity],
            self._cast(scene, sent),
            [SentReference(picture.role, picture.name, picture.subject) for picture in sent if picture.role != "input"],
            self._place(scene),
            self._lessons.of_scene(scene),
            standing.corrections,
            shape.aspect_ratio,
        )
        return compose(self._rules, scene, around)

    def key(self, standing: Standing, prompt: Prompt, shape: Shape, sent: tuple[Reference, ...]) -> str:
        """Return the task key: its hash covers everything that shapes the result.

        Whoever rejects a picture without a note sends the same words again and wants another picture all the same.
        """
        return task_key(standing.target, standing.variation, self._covered(standing, prompt, shape, sent))

    def is_current(self, key: str, standing: Standing, prompt: Prompt, shape: Shape, sent: Sequence[Reference]) -> bool:
        """Whether *key*, as it was recorded, stands for the request that would be sent today."""
        covered = self._covered(standing, prompt, shape, sent)
        others = ({"temperature": other} for other in self._temperatures.others(shape.model.takes))
        return any(
            key == task_key(standing.target, standing.variation, covered | other) for other in chain([{}], others)
        )

    def _covered(
        self, standing: Standing, prompt: Prompt, shape: Shape, sent: Sequence[Reference]
    ) -> dict[str, object]:
        """Everything that shapes the picture."""
        rejections = standing.wish.rejections
        return {
            **({"rejections": rejections} if rejections else {}),
            "prompt": prompt.text,
            "model": shape.model.name,
            "aspect_ratio": shape.aspect_ratio,
            "image_size": shape.image_size,
            **hashed(self._sent_to(shape.model), Generate.unsent_temperature),
            "safety_settings": list(self._settings.safety_settings),
            "references": [[picture.role, picture.sha256] for picture in sent],
            **({"labels": prompt.labels} if prompt.labels else {}),
        }

    def around(self, standing: Standing) -> str:
        """Return the hash over what people wrote around a scene, whatever words the composition makes of it."""
        scene = standing.scene
        place = self._place(scene)
        entity = self._library.entities[scene.entity]
        cast = [[item.slug, item.name, item.description, item.traits] for item in self._cast(scene, ())]
        learned = self._lessons.of_scene(scene)
        written = {
            "v": AROUND_VERSION,
            "entity": [entity.name, entity.description, entity.traits],
            "cast": cast,
            "place": [place.name, place.description, place.zone] if place else [],
            "learned": [finding.text for finding in (*learned.traits, *learned.style)] if learned else [],
            "corrections": standing.corrections,
        }
        return f"sha256:{digest(written)}"

    def task(self, standing: Standing, shape: Shape, picked: Picked) -> Task:
        """Return the task that makes the picture of *standing*."""
        scene = standing.scene
        prompt = self.compose(standing, shape, picked.sent)
        record = standing.record
        parameters = self._sent_to(shape.model)
        characters = len(prompt.text) + sum(map(len, prompt.labels))
        tokens = self._estimates.input_tokens(shape.model, characters, len(picked.sent), parameters)
        return Task(
            wish=standing.wish,
            attempt=standing.attempt,
            key=self.key(standing, prompt, shape, picked.sent),
            title=scene.title or scene.id,
            prompt=prompt.text,
            references=picked.sent,
            shape=self._estimates.with_input(shape, tokens),
            replaces=Replaced(path=standing.path, sha256=record.sha256, status=record.status) if record else None,
            notes=(
                *(f"cut: {cut.part}, {cut.characters} characters" for cut in prompt.cuts),
                *picked.notes,
                *self._learned(scene, prompt),
            ),
            weight=scene.weight,
            tokens=tokens,
            characters=characters,
            labels=prompt.labels,
            cuts=prompt.cuts,
            findings=lint(self._rules, scene, prompt),
            extra=GenerationExtra(composer=COMPOSER, around_hash=self.around(standing)),
        )

    def _sent_to(self, model: ImageModel) -> Mapping[str, Any]:
        """The parameters that are sent to *model*."""
        sent = self._sent.get(model.name)
        if sent is None:
            sent = self._sent[model.name] = sent_to(model.takes, self._choice)
        return sent

    def _learned(self, scene: Scene, prompt: Prompt) -> Iterator[str]:
        """Note which parts of the prompt come from analyses, and from which pictures."""
        learned = self._lessons.of_scene(scene)
        for finding in (*learned.traits, *learned.style) if learned else ():
            entity = self._library.entity(finding.subject)
            if finding.text in prompt.text and not (entity and finding.text in entity.traits):
                yield f"learned from {', '.join(finding.sources)}: {finding.text}"

    def _model(self, name: str) -> ImageModel | str:
        found = self._models.get(name)
        if found is None:
            try:
                found = self._catalog.image_model(name)
            except ChargenError as error:
                found = str(error)
            self._models[name] = found
        return found

    def _cast(self, scene: Scene, sent: tuple[Reference, ...]) -> list[CastMember]:
        shown = {picture.subject for picture in sent}
        members = []
        for depicted in scene.characters:
            entity = self._library.entity(f"character/{depicted.slug}")
            if entity:
                members.append(
                    CastMember(
                        entity.slug, entity.name, entity.description, entity.traits, depicted.state, entity.key in shown
                    )
                )
        return members

    def _place(self, scene: Scene) -> PlaceInfo | None:
        location: Entity | None = self._library.entity(f"location/{scene.location}")
        if location is None:
            return None
        zone = match_zone(scene.zone, tuple(location.zones)) if scene.zone else ""
        return PlaceInfo(location.name, location.description, location.zones.get(zone, ""))

    def _refuse(self, scene: Scene, key: str, message: str) -> Problem:
        return Problem(
            "error",
            f"unsupported-{key.replace('_', '-')}",
            f"scene {scene.id}: {message}",
            scene.place,
            entity=scene.entity,
            scene=scene.id,
            effect="scene skipped",
        )
