"""A small invented library in every shape that the reader knows, written out as text."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

NEWCOMER = """\
name: Oda Brennick
description: >
  A lighthouse keeper in her sixties, cropped grey hair, a clouded left eye,
  patched oilskin coat, brass whistle on a cord.
scenes:
  - id: lamp-room
    prompt: Oda trims the great lamp while a storm builds over the sea.
  - id: market-day
    prompt: Oda haggles over rope at the harbour market.
    characters: [tam-fell]
    aspect_ratio: 16:9
"""

FULL = """\
schema: 1                      # optional
kind: location
name: Saltmere Light
description: A squat granite lighthouse on a tidal islet.
traits: [green copper dome, rope bridge to the shore]
style: weathered gouache
mood: somber
palette: {dominant: [slate, rust], accent: [lamp yellow], avoid: [neon]}
avoid: [modern boats]
portrait: images/overview.jpg
references: [oda-brennick]
defaults: {aspect_ratio: 3:2, image_size: 1K, variations: 1, weight: medium}
zones:
  lamp-room: Brass lamp, curved glass, salt-streaked panes.
scenes:
  - id: lamp-room-night
    title: The lamp at night
    zone: lamp-room
    prompt: Rain streams down the panes around the burning lamp.
    composition: low angle, lamp in the upper third
    lighting: {primary_source: the lamp, color_temperature: warm}
    time_of_day: night
    characters:
      - {slug: oda-brennick, state: "soaked coat, one hand bandaged"}
    must_include: [log book]
    weight: high
    image_size: 2K
    variations: 2
    tags: [night]
  - {id: old-map, prompt: A hand-drawn chart of the islet., skip: true}
generated_images: []
"""

CHARACTER = """\
entity_type: character
slug: tam-fell
appearance: A wiry fisher with a broken nose — always in a knitted cap.
prompts: []
image_inventory:
  - id: tam-fell-portrait-1
    path: images/tam-fell-portrait-1.jpg
    type: generated
    status: approved
    is_reference_portrait: true
  - id: tam-fell-gone
    path: images/tam-fell-gone.jpg
    status: approved
"""

IDEAS = """\
character:
  name: Tam "Hook" Fell
  summary: A fisher.
visual_consistency:
  - knitted cap
  - broken nose
scenes:
  - title: Hauling Nets at Dûn Harbour
    scene: Tam hauls a net by lantern light
    pose: cross-legged
    setting: a stone quay
    mood: quiet and tired
    tags: [harbour, night]
  - title: The Long Haul
    scene: Tam and Oda pull in a drowned bell
    pose: braced
    setting: a small boat
    mood: strained
    tags: [sea]
    depicts_characters: [oda-brennick]
"""

STYLE = """\
style_overrides:
  magic_level: low and uneasy
  fantasy_grounding: [hand-forged tools]
  faction_or_guild_marks: [blue knot on the sleeve]
  signature_props: [gutting knife]
  avoid: [clean clothes]
"""

ANCHOR = """\
location_visual_anchor:
  signature_elements: [leaning chimney, red door]
  materials: {walls: tarred planks, primary: driftwood}
  color_anchors: {dominant: [tar black], accent: red, avoid: [pastel pink], secondary: grey}
  characteristic_light: {primary: low window light, quality: hazy}
"""

COMMON = """\
generation_defaults: {aspect_ratio: "4:3", provider: other, negative_prompts: "cars, wires"}
narrative_soul: Where nets and grudges are kept.
one_line_essence: A shed that remembers.
"""

DIALECT_1 = f"""\
# ─── The net loft ═══
metadata:
  slug: net-loft
  name: The Net Loft
  narrative_soul: Where nets and grudges are kept.
  one_line_essence: A shed that remembers.
  generation_defaults: {{default_aspect_ratio: 3:2}}
{ANCHOR}overview:
  slug: net-loft-overview
  image_type: establishing
  visual_description: The loft leans over the quay.
  prompt_used: A leaning loft on a quay at dusk.
  key_elements: [the quay]
  lighting: {{primary_source: dusk sky}}
  palette: {{dominant: [umber], avoid: [teal]}}
zones:
  - slug: loft-kitchen
    name: Kitchen
    image_type: zone
    visual_description: A soot-dark kitchen.
    prompt_used: A soot-dark kitchen with a kettle.
    aspect_ratio: "16:9"
    orientation: landscape
    size: 1024x768
    negative_prompt: people, text
    required_elements: [kettle]
    scene_mood: intimate
    mood_rationale: it is late
    weather: fog
    character_interaction: {{positions: [two by the stove], activities: [knitting]}}
  - slug: kitchen-at-dawn
    name: Kitchen at dawn
    image_type: temporal
    base_zone: kitchen
    visual_description: The same kitchen, grey.
    lighting: {{primary_source: dawn}}
    references:
      - {{type: character_portrait, slug: tam-fell}}
      - {{source: notes.md, anchor: dawn}}
      - {{type: chapter_visual_plan, chapter: ch01}}
"""

DIALECT_2 = f"""\
metadata: {{location_slug: tide-mill, location_name: Tide Mill, zones_count: 99}}
{COMMON}{ANCHOR}overview:
  establishing:
    slug: mill-establishing
    image_type: establishing
    narrative_context: The mill at low tide.
    prompt_used: A tide mill on mud flats.
zones:
  - slug: mill-kitchen
    name: Kitchen
    narrative_context: Flour on everything.
    prompt_used: A floury kitchen.
    lighting: {{primary_source: hearth}}
    palette: {{dominant: [flour white], accent: [ember]}}
beat_images:
  - slug: the-quarrel
    name: The quarrel
    zone_ref: mill-kitchen
    image_type: beat
    narrative_context: Two people shout across the table.
    prompt_used: A quarrel in a floury kitchen.
    characters_present: [tam-fell, a miller nobody knows, lost-cousin]
    emotional_beat: old anger
"""

DIALECT_4 = f"""\
metadata: {{location_slug: rope-walk, location_name: Rope Walk}}
{COMMON}{ANCHOR}overview:
  description: A long roofed lane of ropes.
  prompt_template: A long roofed rope walk.
  scene_mood: busy
zones:
  - zone_slug: tar-pit
    zone_name: Tar pit
    narrative_role: Where hands get burned.
    default_prompt_elements: {{must_include: [ladle], must_avoid: [sunshine]}}
    zone_visual_anchor:
      defining_features: [iron vat]
      materials: [pitch]
      color_signature: glossy black
      light_character: red glow from below
    images:
      - image_slug: wide
        image_type: zone
        prompt: The whole tar pit.
        style_notes: thick strokes
      - image_slug: ladle
        image_type: detail
        prompt: A dripping ladle.
        technical: {{aspect_ratio: "1:1"}}
        depicts_characters:
          - {{slug: oda-brennick, role: buyer}}
          - {{generic_count: 3, description: tired rope makers}}
beat_images:
  - beat_slug: burned-hand
    beat_title: The burned hand
    zone: rope-walk/tar-pit
    narrative_context: A cry.
    image_spec:
      prompt: A burned hand over the vat.
      lighting: {{primary_source: the vat}}
      palette: {{dominant: [pitch]}}
"""

DIALECT_5 = f"""\
metadata: {{location_slug: bell-cove, location_name: Bell Cove}}
{COMMON}{ANCHOR}overview:
  image_type: establishing
  description: A cove with a drowned bell.
zones:
  - zone_id: shingle
    zone_name: Shingle
    description: Wet stones.
    camera: {{angle: low, lens: wide}}
beat_images:
  - beat_id: bell-rings
    beat_name: The bell rings
    zone_ref: shingle
    description: Everyone looks at the water.
    composition: {{focus: the water}}
    character_portrait_refs:
      - {{slug: tam-fell, portrait: characters/tam-fell/images/cap.png}}
    character_states: {{tam-fell: wet through}}
"""

DIALECT_6 = f"""\
metadata: {{location_slug: gull-inn, location_name: Gull Inn}}
{COMMON}{ANCHOR}overview:
  primary: {{image_type: establishing, description: The inn from the sea., aspect_ratio: "21:9"}}
  secondary: {{image_type: mood, description: The inn at closing time.}}
  notes: nothing
zones:
  - {{slug: taproom, name: Taproom, description: Low beams., composition_notes: from the door}}
beat_images:
  - {{slug: last-round, title: Last round, description: Coins on wood., zone_ref: taproom, framing: close}}
"""

CHAPTER = """\
metadata:
  entity_type: chapter-imagery
  slug: ch15.5-the-drowned-bell
  chapter_number: 15.5
  chapter_title: The Drowned Bell
  visual_thesis: Everything sounds as if under water.
  color_palette: {primary: [sea green, lead], accent: [brass]}
  generated: 2025-12-17
characters:
  - ref: tam-fell
    name: Tam
    scene_variations: |
      SCENE 03: cap lost, hair wet
      SCENES 04-06 (Vigil): wrapped in a blanket
      Throughout: rope burn on both palms
    reference_images: [tam-fell-portrait-1]
  - ref: oda-brennick
    name: Oda
    scene_variations: "- SCENE 03: oilskin buttoned wrong - SCENE 05: asleep"
locations:
  - ref: bell-cove
    zones:
      - {id: shingle, chapter_context: The stones are covered with weed.}
moments:
  - id: m1
    scene_id: scn-15-03
    title: The haul
    narrative_beat: They see what they have caught.
    visual_weight: critical
    characters_present: [tam-fell]
    location_zone: bell-cove/shingle
    transformation_state: during
    recommended_images: 1
images:
  - custom_id: ch15.5-haul-hero
    source_moment: m1
    prompt_used: Two figures haul a bell onto the shingle.
    visual_description: A green bell in a torn net.
    composition_notes: from above
    visual_hook: the bell's open mouth
    mood_rationale: dread
    depicts_characters: [tam-fell, oda-brennick, stranger]
    character_states: {oda: "furious", others: "a few gulls and boys"}
    location: bell-cove
    zone: shingle
    lighting: {primary_source: grey noon, quality: flat}
    palette: {dominant: [], accent: [verdigris], avoid: [sunset orange]}
    aspect_ratio: "21:9"
    orientation: landscape
    size: 1792x1024
    image_type: hero
    scene_mood: ominous
    negative_prompt: text, watermark
    tags: [bell]
    category: plot
    generated_at: null
    file_name: null
    file_path: null
    provider: null
    model: null
"""

TWO_QUOTED = 'metadata:\n  name: Bad\n  mood: "grey", "wet"\n'


def scene(**fields: str) -> str:
    """One v1 file with a single scene of these *fields*."""
    lines = "".join(f"    {key}: {value}\n" for key, value in fields.items())
    return f"scenes:\n  - {lines.strip()}\n"


def put(root: Path, path: str, text: str | bytes = b"picture") -> Path:
    """Write a file below *root*, with its folders."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(dedent(text).encode() if isinstance(text, str) else text)
    return file


def entity(root: Path, key: str, text: str) -> Path:
    """Write the imagery.yaml of ``kind/slug``; the entity's folder."""
    kind, slug = key.split("/")
    return put(root, f"{kind}s/{slug}/imagery.yaml", text).parent


def whole(root: Path) -> Path:
    """Write the whole corpus below *root*: eleven entities, one of them broken, two with CRLF."""
    entity(root, "character/oda-brennick", NEWCOMER)
    tam = entity(root, "character/tam-fell", CHARACTER)
    put(tam, "image-ideas.yaml", IDEAS)
    put(tam, "image_style.yaml", STYLE)
    put(tam, "images/tam-fell-portrait-1.jpg")
    put(tam, "images/cap.png")
    entity(root, "location/saltmere-light", FULL)
    entity(root, "location/net-loft", re.sub("\n", "\r\n", DIALECT_1))
    entity(root, "location/tide-mill", re.sub("\n", "\r\n", DIALECT_2))
    entity(root, "location/rope-walk", DIALECT_4)
    entity(root, "location/bell-cove", DIALECT_5)
    entity(root, "location/gull-inn", DIALECT_6)
    entity(root, "location/bad-place", TWO_QUOTED)
    entity(root, "chapter/ch15.5-the-drowned-bell", CHAPTER)
    put(root, "chapters/drafts/notes.md", "no entity")
    put(root, "characters/empty/imagery.yaml", "# nothing yet\n")
    return root
