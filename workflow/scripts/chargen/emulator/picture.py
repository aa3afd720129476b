"""Placeholder pictures: a small landscape in the key's own colours that says what it stands for.

The same inputs give the same bytes. Pillow is imported by this module: import it late.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from PIL.PngImagePlugin import PngInfo

from chargen.base.image_sizes import pixels

MARKER = "chargen-emulator"
TITLE = "PLACEHOLDER - chargen emulator"
_AT_1K: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1408),
    "16:9": (1408, 768),
    "21:9": (1584, 672),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
_PIXELS_AT_1K = 1024
_MAX_THUMBNAILS = 6
Colour = tuple[int, int, int]


def pixel_size(ratio: str, size: str) -> tuple[int, int]:
    """Width and height in pixels that the models really send for a ratio and an image size (1K when
    empty).
    """
    width, height = _AT_1K.get(ratio) or _of_same_area(ratio)
    scale = (pixels(size) or _PIXELS_AT_1K) / _PIXELS_AT_1K
    return int(width * scale), int(height * scale)


def _of_same_area(ratio: str) -> tuple[int, int]:
    """The size at 1K of a *ratio* that no model is known to send, in steps of 16 pixels; square if it is empty."""
    wide, _, high = ratio.partition(":")
    shape = (int(wide) / int(high)) ** 0.5 if wide.isdecimal() and high.isdecimal() and int(wide) and int(high) else 1
    return max(16, round(_PIXELS_AT_1K * shape / 16) * 16), max(16, round(_PIXELS_AT_1K / shape / 16) * 16)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def draw(
    size: tuple[int, int], key: str, prompt: str, references: Sequence[bytes], *, seed: str, note: str = ""
) -> Image.Image:
    """A picture of *size* that shows title, *key*, the start of *prompt* and thumbnails of *references*."""
    dice = random.Random(hashlib.sha256(seed.encode()).digest())
    hue = dice.random()
    image = _sky(size, hue)
    pen = ImageDraw.Draw(image)
    _sun(pen, size, hue, dice)
    _hills(pen, size, hue, dice)
    _caption(image, key, prompt, note)
    _thumbnails(image, references)
    return image


def encode(image: Image.Image, mime_type: str) -> bytes:
    """PNG or JPEG bytes with the emulator's marker within the first 4 KiB."""
    target = io.BytesIO()
    if mime_type == "image/png":
        about = PngInfo()
        about.add_text("Software", MARKER)
        image.save(target, "PNG", compress_level=1, pnginfo=about)
    else:
        image.save(target, "JPEG", quality=80, comment=MARKER.encode())
    return target.getvalue()


def dominant_colours(data: bytes, count: int = 5) -> list[str]:
    """The *count* most frequent colours of a picture as ``#rrggbb``, most frequent first."""
    small = Image.open(io.BytesIO(data)).convert("RGB").resize((48, 48))
    reduced = small.quantize(count)
    palette = reduced.getpalette() or []
    ranked = sorted(reduced.getcolors() or [], reverse=True)
    found = []
    for _, index in ranked:
        offset = int(index) * 3 if isinstance(index, int) else 0
        red, green, blue = palette[offset : offset + 3]
        found.append(f"#{red:02x}{green:02x}{blue:02x}")
    return found


def measure(source: bytes | Path) -> tuple[int, int]:
    """Width and height; raises OSError (or a subclass) when *source* is not a picture."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        return image.size


def _shade(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _sky(size: tuple[int, int], hue: float) -> Image.Image:
    strip = Image.linear_gradient("L").resize((1, 256))
    colours = ImageOps.colorize(strip, _shade(hue, 0.55, 0.55), _shade(hue + 0.09, 0.25, 0.98))
    column = colours.resize((1, size[1]), Image.Resampling.BILINEAR)
    return column.resize(size, Image.Resampling.NEAREST)


def _sun(pen: ImageDraw.ImageDraw, size: tuple[int, int], hue: float, dice: random.Random) -> None:
    width, height = size
    radius = min(size) * dice.uniform(0.07, 0.13)
    x, y = width * dice.uniform(0.2, 0.8), height * dice.uniform(0.3, 0.48)
    for step, value in ((1.5, 0.9), (1.0, 1.0)):
        reach = radius * step
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_shade(hue + 0.12, 0.3 / step, value))


def _hills(pen: ImageDraw.ImageDraw, size: tuple[int, int], hue: float, dice: random.Random) -> None:
    width, height = size
    steps = 48
    for layer in range(4):
        base, swing = 0.5 + 0.1 * layer, 0.09 - 0.015 * layer
        waves = [(dice.uniform(0.8, 3.2), dice.uniform(0, math.tau), dice.uniform(0.3, 1)) for _ in range(3)]
        ridge = []
        for step in range(steps + 1):
            at = step / steps
            lift = sum(weight * math.sin(math.tau * pace * at + phase) for pace, phase, weight in waves) / 2
            ridge.append((width * at, height * (base - swing * lift)))
        colour = _shade(hue + 0.02 * layer, 0.35 + 0.12 * layer, 0.72 - 0.15 * layer)
        pen.polygon([*ridge, (width, height), (0, height)], fill=colour)


def _caption(image: Image.Image, key: str, prompt: str, note: str) -> None:
    width, height = image.size
    unit = max(10, min(min(width, height) // 30, width // 18))
    margin = unit
    lines = [(TITLE, unit + unit // 4)]
    lines += [(text, unit) for text in _wrapped(key, unit, width - 4 * margin, 3)]
    lines += [(text, unit * 4 // 5) for text in _wrapped(prompt, unit * 4 // 5, width - 4 * margin, 5)]
    if note:
        lines.append((note, unit * 4 // 5))
    panel_height = sum(size * 13 // 10 for _, size in lines) + 2 * margin
    box = (margin, margin, width - margin, min(margin + panel_height, height - margin))
    shadow = image.crop(box)
    image.paste(Image.blend(shadow, Image.new("RGB", shadow.size, (16, 18, 28)), 0.62), box[:2])
    pen = ImageDraw.Draw(image)
    y = box[1] + margin // 2
    for number, (text, size) in enumerate(lines):
        colour = (255, 214, 120) if number == 0 else (240, 240, 245)
        pen.text((box[0] + margin, y), _fitted(text, size, box[2] - box[0] - 2 * margin), colour, font=_font(size))
        y += size * 13 // 10


def _wrapped(text: str, size: int, width: int, most: int) -> list[str]:
    per_line = max(8, int(width / (size * 0.52)))
    words = " ".join(text[: per_line * (most + 1)].split())
    found: list[str] = []
    while words and len(found) < most:
        if len(words) <= per_line:
            found.append(words)
            break
        end = words.rfind(" ", per_line // 2, per_line)
        end = per_line if end < 0 else end
        found.append(words[:end])
        words = words[end:].lstrip()
    return found


def _fitted(text: str, size: int, width: int) -> str:
    font = _font(size)
    while text and font.getlength(text) > width:
        text = text[: int(len(text) * 0.93)]
    return text


def _thumbnails(image: Image.Image, references: Sequence[bytes]) -> None:
    if not references:
        return
    width, height = image.size
    shown = references[:_MAX_THUMBNAILS]
    gap = max(6, min(width, height) // 60)
    edge = min(min(width, height) // 5, (width - gap) // len(shown) - gap)
    for number, data in enumerate(shown):
        thumbnail = _thumbnail(data, edge)
        x = gap + number * (edge + gap)
        y = height - gap - edge
        border = max(2, edge // 40)
        image.paste((250, 250, 250), (x - border, y - border, x + edge + border, y + edge + border))
        image.paste(thumbnail, (x, y))


def _thumbnail(data: bytes, edge: int) -> Image.Image:
    return _thumbnail_of(data, hashlib.sha256(data).hexdigest(), edge)


_kept: dict[tuple[str, int], Image.Image] = {}


def _thumbnail_of(data: bytes, digest: str, edge: int) -> Image.Image:
    found = _kept.get((digest, edge))
    if found is None:
        with Image.open(io.BytesIO(data)) as source:
            source.draft("RGB", (edge * 2, edge * 2))
            found = ImageOps.fit(source.convert("RGB"), (edge, edge))
        if len(_kept) > 256:
            _kept.clear()
        _kept[digest, edge] = found
    return found
