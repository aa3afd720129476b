"""What a library holds for one wanted picture: `Scene`, with every field declared.

Everything here is frozen. Texts are stripped; absent texts are ``""``, absent lists ``()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from chargen.base.errors import Place
from chargen.base.frozen import frozen
from chargen.library.scene_field import Names, SceneField, declared_fields, scene_field, text, texts
from chargen.library.target import Target

Weight = Literal["low", "medium", "high", "critical"]


@frozen
class Palette:
    """Colours by use; ``avoid`` belongs to the negatives, never to the colours to paint with."""

    dominant: tuple[str, ...] = ()
    accent: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


@frozen
class Depicted:
    """Somebody in a picture: a known character by ``slug``, or people in words (``slug`` empty, ``text`` filled).

    ``references`` are pictures of this person that the file names for this appearance, as written: better than the
    portrait.
    """

    slug: str = ""
    state: str = ""
    text: str = ""
    references: tuple[str, ...] = ()


@frozen
class Scene:
    """One wanted image with everything that applies to it, inheritance resolved: every field is declared here, once.

    The reader, the hash, the schema of imagery.yaml and its page follow from the declarations; the words of a field
    stand in config/prompts.yaml.

    ``spec`` holds, under our own key names, the fields that the author wrote for this very scene and that shape
    the picture (nothing inherited): plain strings, lists and maps, the base of ``spec_hash``. ``spec_v1`` is the same
    as 0.1.0 read it, where that differs.
    ``aspect_ratio``, ``image_size`` and ``model`` are empty where neither the scene nor its surroundings in the
    library say anything: the configuration decides then.
    """

    entity: str  # "character/oda-brennick"
    place: Place
    spec: Mapping[str, Any]
    id: str = scene_field(
        "Names scene and picture: 1 to 80 of `a-z`, `0-9`, `.`, `_`, `-`; not ending in `_c` and a number; once per "
        "file. Without it, it is made from `title`.",
        unhashed="a new id is a new scene",
    )
    title: str = scene_field("The title in the report.", default="", unhashed="a label")
    prompt: str = text(
        "What the picture shows, as a prompt. `prompt` or `description` is required.",
        said_in="moment",
        type="long text",
        older={
            "idea": ("prompt",),
            "location": ("prompt_used", "prompt", "prompt_template", "image_spec.prompt"),
            "chapter": ("prompt_used", "prompt"),
        },
    )
    description: str = text(
        "What the picture shows. Sent with `prompt` if both are given.",
        said_in="moment",
        type="long text",
        older={
            "idea": ("scene", "description"),
            "location": Names(
                ("visual_description", "narrative_context", "description", "narrative_role"), joined=True
            ),
            "chapter": Names(("visual_description", "narrative_context", "description"), joined=True),
        },
    )
    pose: str = text("The pose.", said_in="moment", older={"idea": ("pose",)})
    setting: str = text("The place, in words.", said_in="place", older={"idea": ("setting",)})
    mood: str = text(
        "The feeling: a mood listed in `config/styles.yaml`, or words of your own.",
        said_in="mood and finish",
        level="entity",
        inherited=True,
        older={
            "idea": ("mood",),
            "location": ("scene_mood", "mood", "image_spec.scene_mood", "image_spec.mood"),
            "chapter": ("scene_mood", "mood"),
        },
    )
    mood_reason: str = text(
        "Why it feels so.",
        said_in="mood and finish",
        older={"location": ("mood_rationale",), "chapter": ("mood_rationale",)},
    )
    hook: str = text("What the eye is drawn to first.", said_in="framing", older={"chapter": ("visual_hook",)})
    time_of_day: str = text(
        "When, in the day.",
        said_in="framing",
        inherited=True,
        older={"location": ("time_of_day", "image_spec.time_of_day"), "chapter": ("time_of_day",)},
    )
    weather: str = text(
        "Which weather.",
        said_in="framing",
        inherited=True,
        older={"location": ("weather", "image_spec.weather"), "chapter": ("weather",)},
    )
    season: str = text(
        "When, in the year.",
        said_in="framing",
        inherited=True,
        older={"location": ("season", "image_spec.season"), "chapter": ("season",)},
    )
    location: str = text(
        "Where it is set: a location's folder name; `saltmere-light/lamp-room` gives its zone, too. A location's own "
        "scenes are set there by default.",
        said_in="",
        older={"chapter": ("location",)},
    )
    zone: str = text("The zone of the location.", said_in="place", older={"chapter": ("zone",)})
    aspect_ratio: str = text(
        "Width and height, like `3:4`. Without it `defaults`, then `config/styles.yaml`.",
        said_in="",
        type="ratio",
        level="defaults",
        inherited=True,
        older={
            "idea": ("aspect_ratio", "size", "orientation"),
            "location": ("aspect_ratio", "size", "orientation"),
            "chapter": ("aspect_ratio", "size", "orientation"),
        },
    )
    image_size: str = text(
        "Size, like `1K`: one that the model has in `config/models.yaml`. Without it `defaults`, then "
        "`config/styles.yaml`.",
        said_in="",
        type="size",
        level="defaults",
    )
    model: str = text(
        "An image model of `config/models.yaml`. Without it `defaults`, then `models.generate` in the configuration.",
        said_in="",
        level="defaults",
    )
    revision: str = text(
        "Raise it (2, 3, …) to get a new picture from the same text.",
        said_in="",
        older={"idea": ("revision",), "location": ("revision",), "chapter": ("revision",)},
    )
    composition: tuple[str, ...] = texts(
        "The framing.",
        said_in="framing",
        older={
            "location": (
                "composition_notes", "composition", "camera", "framing", "image_spec.composition_notes",
                "image_spec.composition", "image_spec.camera", "image_spec.framing",
            ),
            "chapter": ("composition_notes", "composition", "camera", "framing"),
        },
    )  # fmt: skip
    must_include: tuple[str, ...] = texts(
        "Things that must be clearly visible.",
        said_in="moment",
        adds_up=True,
        inherited=True,
        older={
            "location": (
                "key_elements", "required_elements", "key_visual_elements", "default_prompt_elements.must_include",
                "zone_visual_anchor.defining_features", "image_spec.key_elements", "image_spec.must_include",
            ),
            "chapter": ("key_elements", "required_elements", "key_visual_elements"),
        },
    )  # fmt: skip
    avoid: tuple[str, ...] = texts(
        "What must not be in the picture.",
        said_in="keep out",
        level="entity",
        adds_up=True,
        inherited=True,
        older={
            "idea": Names(with_commas=("negative_prompt",)),
            "location": Names(
                ("default_prompt_elements.must_avoid", "must_avoid", "image_spec.must_avoid"),
                with_commas=("negative_prompt", "negative_prompts", "image_spec.negative_prompt"),
            ),
            "chapter": Names(with_commas=("negative_prompt",)),
        },
    )
    references: tuple[str, ...] = scene_field(
        "More reference pictures, see [references](#references).",
        type="references",
        default=(),
        level="entity",
        adds_up=True,
        older={"location": ("references",), "chapter": ("references",)},
    )
    style: tuple[str, ...] = texts(
        "The medium, instead of the library's; words that name no medium are added to it.",
        said_in="mood and finish",
        level="entity",
        adds_up=True,
        older={
            "location": (
                "style_notes", "image_spec.style_notes", "symbolic_elements", "narrative_significance",
                "emotional_beat",
            ),
            "chapter": ("style_notes", "symbolic_elements", "emotional_beat"),
        },
    )  # fmt: skip
    lighting: tuple[tuple[str, str], ...] = scene_field(
        "The light: a text, or aspects with their values.",
        said_in="light and colour",
        type="light",
        default=(),
        inherited=True,
        older={
            "location": ("lighting", "image_spec.lighting", "zone_visual_anchor.light_character"),
            "chapter": ("lighting",),
        },
    )
    palette: Palette = scene_field(
        "Colours: `dominant`, `accent` and `avoid`.",
        said_in="light and colour",
        type="palette",
        default=Palette(),
        level="entity",
        inherited=True,
        older={
            "location": ("palette", "image_spec.palette", "zone_visual_anchor.color_signature"),
            "chapter": ("palette",),
        },
    )
    characters: tuple[Depicted, ...] = scene_field(
        "Who is in it: folder names, `{slug, state}`, a map of names to states, or a description of people (`three "
        "dock workers`). `state` is how a character looks in this moment.",
        said_in="people",
        type="people",
        default=(),
        older={
            "idea": ("depicts_characters",),
            "location": (
                "depicts_characters", "characters_present", "character_refs", "character_portrait_refs",
                "character_states", "character_interaction",
            ),
            "chapter": ("depicts_characters", "character_states"),
        },
    )  # fmt: skip
    materials: tuple[str, ...] = texts(
        "What the place is made of.",
        said_in="place",
        ours=False,
        adds_up=True,
        inherited=True,
        older={"location": ("zone_visual_anchor.materials",)},
    )
    image_type: str = text(
        "Which kind of picture it is; `image_kinds` of `config/styles.yaml` has words for it.",
        said_in="mood and finish",
        ours=False,
        older={"location": ("image_type", "image_spec.image_type"), "chapter": ("image_type",)},
    )
    zone_text: str = text(
        "What the zone is like, in this chapter or in general.",
        said_in="place",
        ours=False,
        unhashed="said of the zone, not of this scene",
    )
    beat: str = text(
        "The moment of the story that the picture belongs to.",
        said_in="moment",
        ours=False,
        unhashed="said of the moment, not of this scene",
    )
    theme: tuple[str, ...] = texts(
        "The essence of the place, the thesis of the chapter: said last.",
        said_in="mood and finish",
        ours=False,
        adds_up=True,
        unhashed="said of the entity, not of this scene",
    )
    variations: int = scene_field(
        "How many pictures, 1 to 100. Each is a request and costs as much as any.",
        type="number",
        default=1,
        level="defaults",
        unhashed="each variation is a wish of its own",
    )
    weight: Weight = scene_field(
        "`low`, `medium`, `high`, `critical`: words for the finish, and which scenes are sent first.",
        said_in="mood and finish",
        type="weight",
        default="medium",
        level="defaults",
        unhashed="says how much is said of the scene, not what",
    )
    tags: tuple[str, ...] = scene_field("For your own use.", type="texts", default=(), unhashed="a label")
    skip: bool = scene_field("`true`: not wanted for now.", type="yes or no", default=False, unhashed="it says when")
    spec_v1: Mapping[str, Any] | None = None

    @property
    def target(self) -> Target:
        """What wishes, orders and ``only`` name."""
        return Target.of(self.entity, self.id)


SCENE_FIELDS: Mapping[str, SceneField] = declared_fields(Scene)
"""Every declared field of a scene by name."""
