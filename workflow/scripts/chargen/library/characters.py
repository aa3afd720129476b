"""The character shape: ``appearance`` and ``prompts`` in imagery.yaml, the wishes in image-ideas.yaml."""

from __future__ import annotations

from chargen.base.errors import Place
from chargen.library.drafts import Draft, Level, filled
from chargen.library.fields import Problems, View, as_text, unique, values_of
from chargen.library.people import people
from chargen.library.shapes import negatives, older_fields
from chargen.library.slugs import title_id
from chargen.library.v1 import Defaults, Head
from chargen.library.yamlio import Map, Seq

STYLE_FILE = "image_style.yaml"

_STYLES = ("magic_level", "fantasy_grounding")
_STYLE_TRAITS = ("faction_or_guild_marks", "signature_props")
_PROMPT_ID_CHARS = 40


def read_head(imagery: View, ideas: View, style: View) -> Head:
    """What the three files say of the character itself."""
    overrides = style.map("style_overrides")
    traits = [*ideas.texts("visual_consistency"), *overrides.texts(*_STYLE_TRAITS)]
    surroundings: Level = {
        "style": overrides.texts(*_STYLES),
        "avoid": negatives(overrides, ("avoid",), ()),
    }
    return Head(
        name=ideas.text("character.name"),
        description=imagery.text("appearance") or ideas.text("character.summary"),
        traits=tuple(unique(traits)),
        surroundings=filled(surroundings),
    )


def read_prompts(imagery: View, defaults: Defaults, problems: Problems) -> list[Draft]:
    """The scenes that ``prompts`` wishes for, mere texts."""
    value = imagery.data.get("prompts")
    if not isinstance(value, Seq):
        return []
    drafts = []
    for index, item in enumerate(value):
        place = Place(imagery.file, *value.position(index), f"prompts[{index}]")
        text = as_text(item.get("prompt")) if isinstance(item, Map) else as_text(item)
        name = title_id(text[:_PROMPT_ID_CHARS])
        if name:
            drafts.append(Draft(name, place, {"prompt": text}, weight=defaults.weight, variations=defaults.variations))
        elif item is not None:
            problems.error("no-text", "the prompt has no words to make an id from", place, "scene skipped")
    return drafts


def read_ideas(ideas: View, defaults: Defaults, problems: Problems) -> list[Draft]:
    """The scenes of the ideas file."""
    drafts = []
    for item in ideas.items("scenes", problems):
        title = item.text("title")
        name = title_id(title or item.text("id"))
        if not name:
            problems.error(
                "no-id", "the scene has no title to make an id from", item.place(), "scene skipped", "give it a title"
            )
            continue
        own = older_fields(item, "idea", problems, name)
        own["characters"] = people(item.data.get("depicts_characters"))
        draft = Draft(
            id=name,
            place=item.place(),
            own=filled(own),
            title=title,
            weight=defaults.weight,
            variations=defaults.variations,
            tags=tuple(values_of(item.data.get("tags"))),
        )
        if draft.has_text:
            drafts.append(draft)
        else:
            message = "the scene has no text to draw from"
            problems.error("no-text", message, draft.place, "scene skipped", "give it a 'scene' text", name)
    return drafts
