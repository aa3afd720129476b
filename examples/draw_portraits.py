"""Draw the reference portraits of the example library: `python examples/draw_portraits.py [folder of the library]`.

Each picture is 768 by 1024 pixels, built from shapes with glazes of light and shadow, then worked over with brush
strokes that follow the colours below them. The same code draws the same picture every time.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 768, 1024
SCALE = 1.5  # painted larger, then reduced: smooth edges
LIBRARY = Path(__file__).parent / "saltmere"


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """*one* with *share* (0 to 1) of *other*."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def curve(points: Sequence[Point], closed: bool = False, steps: int = 14) -> list[Point]:
    """A smooth line through *points* (Catmull-Rom)."""
    count = len(points)
    result: list[Point] = []
    for index in range(count if closed else count - 1):
        near = [
            points[(index + k) % count] if closed else points[min(max(index + k, 0), count - 1)] for k in (-1, 0, 1, 2)
        ]
        for step in range(steps):
            t = step / steps
            result.append(tuple(_catmull([p[axis] for p in near], t) for axis in (0, 1)))  # type: ignore[arg-type]
    if not closed:
        result.append(points[-1])
    return result


def _catmull(p: Sequence[float], t: float) -> float:
    return 0.5 * (
        2 * p[1]
        + (p[2] - p[0]) * t
        + (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3]) * t * t
        + (3 * p[1] - p[0] - 3 * p[2] + p[3]) * t**3
    )


def moved(points: Sequence[Point], x: float, y: float, sx: float = 1.0, sy: float = 1.0) -> list[Point]:
    return [(x + px * sx, y + py * sy) for px, py in points]


def both_sides(left: Sequence[Point]) -> list[Point]:
    """An outline from its left half, which runs from the top middle to the bottom middle."""
    return [*left, *((-x, y) for x, y in reversed(left[1:-1]))]


def ellipse(x: float, y: float, rx: float, ry: float) -> list[Point]:
    return [(x + rx * math.cos(k * math.tau / 48), y + ry * math.sin(k * math.tau / 48)) for k in range(48)]


class Painting:
    """A picture in progress; coordinates are those of the finished size."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.size = (round(WIDTH * SCALE), round(HEIGHT * SCALE))
        self.image = Image.new("RGB", self.size)

    def gradient(self, stops: Sequence[tuple[float, Colour]]) -> None:
        """Fill the picture from top to bottom with *stops* of (height share, colour)."""
        draw = ImageDraw.Draw(self.image)
        for y in range(self.size[1]):
            share = y / self.size[1]
            for (a, one), (b, other) in pairwise(stops):
                if a <= share <= b:
                    draw.line([(0, y), (self.size[0], y)], fill=mix(one, other, (share - a) / (b - a)))
                    break

    def mask(self, outline: Sequence[Point], blur: float = 0) -> Image.Image:
        """The whole picture's mask of what is inside *outline*."""
        mask = Image.new("L", self.size)
        part, (left, top) = self._part(outline, blur)
        mask.paste(part, (left, top))
        return mask

    def _part(self, outline: Sequence[Point], blur: float) -> tuple[Image.Image, tuple[int, int]]:
        """The mask of *outline* cut to what it covers, and where it belongs."""
        box = self._box(outline, blur * 3 + 2)
        part = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        local = [(x * SCALE - box[0], y * SCALE - box[1]) for x, y in outline]
        ImageDraw.Draw(part).polygon(local, fill=255)
        return (part.filter(ImageFilter.GaussianBlur(blur * SCALE)) if blur else part), box[:2]

    def _box(self, points: Sequence[Point], margin: float) -> tuple[int, int, int, int]:
        """The pixels around *points* with a margin, at least one, within the picture or just beside it."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left = max(-400, math.floor((min(xs) - margin) * SCALE))
        top = max(-400, math.floor((min(ys) - margin) * SCALE))
        right = min(self.size[0] + 400, math.ceil((max(xs) + margin) * SCALE))
        bottom = min(self.size[1] + 400, math.ceil((max(ys) + margin) * SCALE))
        return left, top, max(right, left + 1), max(bottom, top + 1)

    def lay(self, colour: Colour, mask: Image.Image, share: float = 1.0, at: tuple[int, int] = (0, 0)) -> None:
        """Put *colour* where *mask* is; *at* is the mask's corner."""
        if share < 1:
            mask = mask.point(lambda value: round(value * share))
        self.image.paste(colour, at, mask)

    def shape(self, outline: Sequence[Point], colour: Colour, smooth: bool = True, soft: float = 0.6) -> Image.Image:
        """Paint a shape and return its mask."""
        mask = self.mask(curve(outline, closed=True) if smooth else outline, soft)
        self.lay(colour, mask)
        return mask

    def glaze(self, within: Image.Image, outline: Sequence[Point], colour: Colour, blur: float, share: float) -> None:
        """Lay a soft shape of *colour* over what is inside the mask *within*."""
        part, at = self._part(curve(outline, closed=True), blur)
        self.lay(colour, self._inside(part, at, within), share, at)

    @staticmethod
    def _inside(part: Image.Image, at: tuple[int, int], within: Image.Image) -> Image.Image:
        return ImageChops.multiply(part, within.crop((*at, at[0] + part.width, at[1] + part.height)))

    def glow(self, x: float, y: float, radius: float, colour: Colour, share: float) -> None:
        self.lay(colour, self.mask(ellipse(x, y, radius * 0.55, radius * 0.55), radius * 0.4), share)

    def line(
        self,
        points: Sequence[Point],
        colour: Colour,
        width: float,
        taper: bool = True,
        share: float = 1.0,
        within: Image.Image | None = None,
        blur: float = 0.0,
    ) -> None:
        """A brush line through *points*, thin at its ends if it tapers."""
        box = self._box(curve(points), width + blur * 3 + 3)
        part = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        self._draw_line(ImageDraw.Draw(part), points, 255, width, taper, box[:2])
        part = part.filter(ImageFilter.GaussianBlur((blur + 0.4) * SCALE))
        if within is not None:
            part = self._inside(part, box[:2], within)
        self.lay(colour, part, share, box[:2])

    def _draw_line(
        self,
        draw: ImageDraw.ImageDraw,
        points: Sequence[Point],
        fill: int | Colour,
        width: float,
        taper: bool,
        corner: Point = (0, 0),
    ) -> None:
        path = [(x * SCALE - corner[0], y * SCALE - corner[1]) for x, y in curve(points, steps=22)]
        for index, (x, y) in enumerate(path):
            along = index / max(1, len(path) - 1)
            radius = width / 2 * SCALE * ((0.25 + 0.75 * math.sin(math.pi * along)) if taper else 1)
            if index:
                draw.line([path[index - 1], (x, y)], fill=fill, width=max(1, round(radius * 2)))
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)

    def strands(
        self,
        one: Sequence[Point],
        other: Sequence[Point],
        count: int,
        colours: Sequence[Colour],
        width: float,
        jitter: float = 4,
        within: Image.Image | None = None,
    ) -> None:
        """Hair: *count* lines between two guides of equally many points."""
        layer = self.image.copy()
        draw = ImageDraw.Draw(layer)
        for _ in range(count):
            t = self.random.random()
            shift = self.random.uniform(-jitter, jitter)
            path = [
                (
                    ax + (bx - ax) * t + shift + self.random.uniform(-1, 1) * jitter * 0.4,
                    ay + (by - ay) * t + shift * 0.5,
                )
                for (ax, ay), (bx, by) in zip(one, other, strict=True)
            ]
            self._draw_line(draw, path, self.random.choice(colours), self.random.uniform(0.4, 1) * width, True)
        self.image = layer if within is None else Image.composite(layer, self.image, within)

    def brush(self, count: int, length: float, width: float, share: float) -> None:
        """Work the whole picture over with short strokes in its own colours; strokes stop at edges."""
        source = self.image.filter(ImageFilter.GaussianBlur(1.2 * SCALE))
        pixels = source.load()
        assert pixels is not None
        layer = self.image.copy()
        draw = ImageDraw.Draw(layer)
        wide, high = self.size
        for _ in range(count):
            x, y = self.random.randrange(wide), self.random.randrange(high)
            angle = 0.9 * math.sin(x / 210) + 0.8 * math.cos(y / 170) + self.random.uniform(-0.5, 0.5) - 0.6
            half = self.random.uniform(0.5, 1) * length * SCALE / 2
            dx, dy = math.cos(angle) * half, math.sin(angle) * half
            ends = [(x - dx, y - dy), (x + dx, y + dy)]
            if any(not (0 <= ex < wide and 0 <= ey < high) for ex, ey in ends):
                continue
            colour = pixels[x, y]
            if any(_distance(colour, pixels[int(ex), int(ey)]) > 30 for ex, ey in ends):
                continue
            light = self.random.uniform(-9, 9)
            tone = tuple(min(255, max(0, round(c + light + self.random.uniform(-3, 3)))) for c in colour)
            draw.line(ends, fill=tone, width=max(1, round(self.random.uniform(0.5, 1) * width * SCALE)))
        layer = layer.filter(ImageFilter.GaussianBlur(0.5 * SCALE))
        self.image = Image.blend(self.image, layer, share)

    def finished(self) -> Image.Image:
        """The picture at its final size, with paper grain and slightly darker corners."""
        image = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        corners = Image.radial_gradient("L").resize((WIDTH, HEIGHT)).point(lambda v: max(0, v - 120) // 2)
        image.paste((24, 20, 28), (0, 0), corners)
        grain = Image.new("L", (WIDTH // 2, HEIGHT // 2))
        grain.putdata([round(self.random.gauss(128, 20)) for _ in range(grain.width * grain.height)])
        grain = grain.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        return Image.blend(image, ImageChops.soft_light(image, Image.merge("RGB", [grain] * 3)), 0.5)


def _distance(one: Sequence[int], other: Sequence[int]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=False))


@dataclass(frozen=True)
class Face:
    """A face around (x, y), the point between the eyes; lit from the left."""

    x: float
    y: float
    skin: Colour
    shadow: Colour
    light: Colour
    blush: Colour
    lips: Colour
    brow: Colour
    iris: Colour
    line: Colour
    wide: float = 1.0
    tall: float = 1.0
    smile: float = 6.0
    brow_width: float = 9.0
    brow_lift: float = 0.0
    nose: float = 1.0
    eye: float = 1.0
    squint: float = 0.0
    age: float = 0.0
    neck: float = 0.86

    def at(self, points: Sequence[Point]) -> list[Point]:
        return moved(points, self.x, self.y, self.wide, self.tall)


OUTLINE = both_sides([(0, -152), (-70, -140), (-108, -82), (-116, -5), (-108, 62), (-78, 122), (-38, 158), (0, 166)])


def paint_head(art: Painting, face: Face) -> Image.Image:
    """Neck, ears and the modelled head without eyes, brows and mouth; returns the mask of the face."""
    neck = art.shape(
        face.at(
            [
                (face.neck * x, y)
                for x, y in ((-58, 90), (58, 90), (62, 190), (104, 250), (0, 310), (-104, 250), (-62, 190))
            ]
        ),
        face.skin,
    )
    art.glaze(neck, face.at([(-80, 90), (80, 90), (80, 185), (20, 205), (-50, 178)]), face.shadow, 10, 0.85)
    art.glaze(neck, face.at([(18, 120), (100, 120), (100, 300), (30, 300)]), face.shadow, 14, 0.6)
    for side in (-1, 1):
        ear = art.shape(
            face.at([(side * 108, -30), (side * 128, -34), (side * 136, -8), (side * 124, 32), (side * 108, 40)]),
            mix(face.skin, face.blush, 0.3),
        )
        art.glaze(ear, face.at(ellipse(side * 118, 0, 7, 20)), face.shadow, 3, 0.7)
    head = art.shape(face.at(OUTLINE), face.skin)
    art.glaze(
        head, face.at([(52, -160), (140, -140), (140, 180), (20, 190), (62, 110), (80, 20)]), face.shadow, 22, 0.75
    )
    art.glaze(head, face.at([(-100, 110), (0, 150), (100, 110), (80, 190), (-80, 190)]), face.shadow, 14, 0.5)
    art.glaze(head, face.at(ellipse(-48, -78, 52, 40)), face.light, 22, 0.55)
    art.glaze(head, face.at(ellipse(-64, 34, 32, 24)), face.light, 14, 0.5)
    for side, share in ((-1, 0.5), (1, 0.4)):
        art.glaze(head, face.at(ellipse(side * 62, 46, 36, 24)), face.blush, 15, share)
        art.glaze(head, face.at(ellipse(side * 47, -8, 36, 20)), face.shadow, 9, 0.45)
    _paint_nose(art, face, head)
    return head


def _paint_nose(art: Painting, face: Face, head: Image.Image) -> None:
    n = face.nose
    art.glaze(head, face.at([(6, -34), (18, 0), (26 * n, 50), (10, 66 * n), (2, 40)]), face.shadow, 6, 0.75)
    art.glaze(head, face.at([(-12, -30), (-16, -4), (-8, -10)]), face.shadow, 5, 0.5)
    art.glaze(head, face.at(ellipse(4, 68 * n, 30, 8)), face.shadow, 5, 0.8)
    art.glaze(head, face.at(ellipse(0, 52 * n, 20 * n, 14)), face.blush, 8, 0.5)
    art.glaze(head, face.at([(-5, -30), (2, -30), (0, 40), (-8, 52 * n), (-10, 36)]), face.light, 4, 0.6)
    art.glaze(head, face.at(ellipse(-6, 47 * n, 7, 6)), face.light, 3, 0.9)
    dark = mix(face.shadow, face.line, 0.55)
    for side in (-1, 1):
        art.line(
            face.at([(side * 22 * n, 52 * n), (side * 25 * n, 60 * n), (side * 19 * n, 66 * n)]), dark, 3.2, share=0.6
        )
        art.line(face.at([(side * 17 * n, 66 * n), (side * 10, 64 * n), (side * 5, 68 * n)]), dark, 5, share=0.9)


def paint_features(art: Painting, face: Face, head: Image.Image) -> None:
    """Eyes, brows, mouth and the lines of age, on top of the brushwork."""
    for side in (-1, 1):
        _paint_eye(art, face, side)
        lift = face.brow_lift
        art.line(
            face.at(
                [(side * 20, -38 + lift), (side * 44, -50 + lift), (side * 66, -48 + lift), (side * 84, -34 + lift)]
            ),
            face.brow,
            face.brow_width,
            share=0.95,
        )
    _paint_mouth(art, face, head)
    if face.age:
        _paint_age(art, face, head)


def _paint_eye(art: Painting, face: Face, side: int) -> None:
    e, q = face.eye, face.squint
    cx, cy = side * 47, -4
    outer, inner = (cx + side * 27 * e, cy - 1), (cx - side * 24 * e, cy + 3)
    top = [(cx + side * 11 * e, cy - 12 * e + q), (cx - side * 9 * e, cy - 11 * e + q)]
    low = [(cx - side * 9 * e, cy + 10 * e - q), (cx + side * 12 * e, cy + 9 * e - q)]
    white = art.shape(face.at([outer, *top, inner, *low]), mix((240, 234, 224), face.shadow, 0.12))
    iris = face.at(ellipse(cx - 2, cy - 1, 11.5 * e, 11.5 * e))
    art.lay(face.iris, ImageChops.multiply(art.mask(iris, 0.5), white))
    art.glaze(white, face.at(ellipse(cx - 2, cy + 5, 7 * e, 5 * e)), mix(face.iris, (255, 240, 200), 0.45), 2, 0.7)
    art.lay((18, 14, 18), ImageChops.multiply(art.mask(face.at(ellipse(cx - 2, cy - 1, 5.4 * e, 5.4 * e)), 0.4), white))
    art.glaze(white, face.at([outer, *top, inner, (cx, cy - 3)]), face.line, 3, 0.5)
    art.lay((255, 252, 245), art.mask(face.at(ellipse(cx - 6, cy - 6, 3.1, 3.1)), 0.5))
    art.line(face.at([inner, *reversed(top), outer, (cx + side * 32 * e, cy + 2)]), face.line, 5.2)
    art.line(face.at([inner, *low, outer]), face.line, 2, share=0.5)
    art.line(
        face.at([(cx - side * 20, cy - 16 + q), (cx + side * 4, cy - 23 + q), (cx + side * 28, cy - 12 + q)]),
        mix(face.shadow, face.line, 0.35),
        2.6,
        share=0.75,
    )


def _paint_mouth(art: Painting, face: Face, head: Image.Image) -> None:
    s = face.smile
    art.glaze(
        head,
        face.at([(-34, 103 - s * 0.4), (-10, 93), (0, 96), (10, 93), (34, 103 - s * 0.4), (0, 105)]),
        face.lips,
        1.5,
        0.85,
    )
    art.glaze(
        head,
        face.at([(-30, 105), (0, 105), (30, 105), (14, 119), (-14, 119)]),
        mix(face.lips, face.light, 0.3),
        2.5,
        0.85,
    )
    art.glaze(head, face.at(ellipse(-5, 112, 10, 3)), face.light, 2, 0.7)
    art.glaze(head, face.at(ellipse(2, 128, 24, 6)), face.shadow, 5, 0.7)
    art.line(
        face.at([(-41, 103 - s), (-24, 104 - s * 0.1), (0, 105), (24, 104 - s * 0.1), (41, 102 - s)]),
        mix(face.line, face.lips, 0.35),
        3.6,
    )


def _paint_age(art: Painting, face: Face, head: Image.Image) -> None:
    tone, share = mix(face.shadow, face.line, 0.25), face.age
    for side in (-1, 1):
        for points, width in (
            ([(side * 30, 62), (side * 46, 80), (side * 52, 104)], 4.0),
            ([(side * 26, 18), (side * 46, 24), (side * 66, 16)], 3.2),
            ([(side * 80, -12), (side * 94, -20)], 2.4),
            ([(side * 80, -4), (side * 97, -3)], 2.4),
            ([(side * 79, 4), (side * 93, 12)], 2.4),
        ):
            art.line(face.at(points), tone, width, share=share, within=head, blur=0.5)
    for y in (-84, -100, -115):
        art.line(
            face.at([(-56, y + 3), (-18, y - 3), (22, y + 2), (54, y - 2)]),
            tone,
            3,
            share=share * 0.8,
            within=head,
            blur=0.6,
        )


def shoulders(top: float, slope: float, reach: float) -> list[Point]:
    """The outline of a dressed upper body below a neck at (384, top)."""
    return [
        (384 - 78, top), (384 - 150, top + slope * 0.55), (384 - reach * 0.8, top + slope), (384 - reach, top + 190),
        (384 - reach - 20, 1120), (384 + reach + 20, 1120), (384 + reach, top + 190), (384 + reach * 0.8, top + slope),
        (384 + 150, top + slope * 0.55), (384 + 78, top),
    ]  # fmt: skip


def arms(art: Painting, cloth: Image.Image, dark: Colour, light: Colour, reach: float) -> None:
    """Where the sleeves leave the body: a soft shadow and a lit edge on each side."""
    for side in (-1, 1):
        seam = [(384 + side * reach * x, y) for x, y in ((0.66, 770), (0.6, 850), (0.66, 940), (0.62, 1060))]
        art.line(seam, dark, 26, within=cloth, blur=8, share=0.85)
        art.line(seam, dark, 4, within=cloth, blur=0.5, share=0.7)
        art.line(moved(seam, -15, 0), light, 9, within=cloth, blur=5, share=0.5)


def folds(art: Painting, cloth: Image.Image, dark: Colour, light: Colour, lines: Sequence[Sequence[Point]]) -> None:
    """Soft folds: each line is a shadow with a light edge to its left."""
    for points in lines:
        art.line(points, dark, 20, within=cloth, blur=6, share=0.6)
        art.line(moved(points, -13, -2), light, 10, within=cloth, blur=5, share=0.5)


def wenna() -> Image.Image:
    """The kite-post carrier before the flats at sunrise."""
    art = Painting(11)
    art.gradient(
        [(0, (78, 122, 146)), (0.22, (138, 172, 178)), (0.42, (240, 205, 164)), (0.5, (250, 222, 176)),
         (0.505, (186, 178, 168)), (0.7, (214, 190, 160)), (1, (112, 128, 136))]
    )  # fmt: skip
    art.glow(150, 500, 280, (255, 236, 190), 0.8)
    for y, rx, tone in ((120, 190, 0.3), (196, 260, 0.35), (300, 220, 0.4), (396, 300, 0.45)):
        x = art.random.choice([130, 610, 520])
        cloud = art.mask(ellipse(x, y, rx, 17), 13)
        art.lay((255, 226, 196), cloud, tone)
    art.lay(
        (92, 104, 118),
        art.mask(
            [
                (420, 512),
                (470, 500),
                (520, 503),
                (560, 486),
                (566, 470),
                (576, 470),
                (582, 488),
                (660, 496),
                (768, 502),
                (768, 514),
            ],
            1,
        ),
    )
    for index in range(8):
        y = 540 + index * index * 8
        art.lay((255, 240, 212), art.mask(ellipse(120 + index * 22, y, 110 + 24 * index, 2.5 + index * 0.5), 2), 0.4)
    for x, y, h, rag in ((70, 620, 120, (196, 64, 52)), (24, 700, 180, (226, 178, 74)), (700, 600, 96, (84, 140, 136))):
        art.line([(x, y), (x + 6, y - h * 0.5), (x + 2, y - h)], (74, 62, 58), 7, taper=False)
        art.shape([(x + 2, y - h), (x + 34, y - h + 6), (x + 40, y - h + 22), (x + 4, y - h + 20)], rag)
    kite = art.shape([(622, 84), (690, 128), (640, 226), (572, 152)], (205, 62, 46), smooth=False)
    art.glaze(kite, [(640, 70), (720, 130), (640, 240), (632, 150)], (140, 34, 40), 5, 0.6)
    art.line([(622, 84), (640, 226)], (98, 34, 30), 3, taper=False)
    art.line([(572, 152), (690, 128)], (98, 34, 30), 3, taper=False)
    art.line([(640, 226), (664, 300), (634, 360), (654, 410)], (230, 196, 120), 4)
    for x, y in ((662, 296), (640, 346), (650, 396)):
        art.shape([(x, y), (x - 16, y - 9), (x - 14, y + 11)], (236, 205, 130))
        art.shape([(x, y), (x + 16, y - 9), (x + 14, y + 11)], (222, 160, 84))

    hair_dark, hair, hair_light = (112, 42, 26), (170, 70, 34), (226, 124, 62)
    back = art.shape(
        [(384, 186), (306, 206), (256, 276), (248, 380), (244, 470), (246, 560), (300, 590), (330, 540),
         (440, 530), (494, 490), (518, 390), (514, 276), (462, 206)],
        hair_dark,
    )  # fmt: skip
    art.strands(
        [(270, 380), (256, 470), (256, 560)],
        [(300, 420), (310, 500), (300, 580)],
        70,
        (hair_dark, (150, 60, 30)),
        4,
        within=back,
    )
    art.strands(
        [(500, 380), (492, 450), (440, 520)],
        [(510, 360), (504, 440), (470, 516)],
        40,
        (hair_dark, (150, 60, 30)),
        4,
        within=back,
    )
    face = Face(
        384, 396, (226, 168, 134), (156, 92, 84), (250, 212, 176), (214, 104, 84), (176, 74, 70), (126, 58, 34),
        (86, 128, 112), (58, 32, 32), wide=0.9, smile=8, squint=1.5, brow_lift=-1, nose=0.88,
    )  # fmt: skip
    coat_dark, coat, coat_light = (30, 74, 78), (58, 122, 118), (126, 180, 166)
    head = paint_head(art, face)
    body = art.shape(shoulders(640, 70, 268), coat)
    art.glaze(body, [(470, 620), (680, 700), (720, 1060), (430, 1060), (470, 800)], coat_dark, 40, 0.75)
    art.glaze(body, ellipse(200, 760, 70, 120), coat_light, 40, 0.6)
    folds(
        art,
        body,
        coat_dark,
        coat_light,
        [
            [(210, 720), (236, 850), (226, 1040)],
            [(560, 730), (540, 860), (560, 1040)],
            [(300, 800), (318, 900), (310, 1040)],
        ],
    )
    arms(art, body, coat_dark, coat_light, 268)
    for points, tone in (
        ([(306, 560), (262, 610), (270, 676), (350, 722), (384, 734), (384, 700), (336, 650)], coat),
        (
            [(462, 560), (506, 610), (500, 676), (420, 722), (384, 734), (384, 700), (432, 650)],
            mix(coat, coat_dark, 0.5),
        ),
    ):
        collar = art.shape(points, tone)
        art.glaze(collar, moved(points, 16, 20), coat_dark, 10, 0.55)
        art.line(points[:5], coat_light, 4, share=0.8)
    art.line([(384, 730), (388, 850), (384, 1040)], coat_dark, 7, taper=False)
    for y in range(772, 1020, 62):
        button = art.shape(ellipse(424, y, 14, 14), (196, 146, 62))
        art.glaze(button, ellipse(430, y + 6, 11, 10), (112, 70, 34), 3, 0.8)
        art.glaze(button, ellipse(419, y - 5, 5, 4), (255, 236, 170), 1.5, 1)

    cap = art.shape(
        [
            (384, 186),
            (304, 208),
            (256, 284),
            (260, 392),
            (280, 370),
            (298, 318),
            (346, 280),
            (420, 270),
            (468, 304),
            (486, 356),
            (504, 400),
            (512, 284),
            (464, 208),
        ],
        hair,
    )
    art.glaze(cap, ellipse(330, 256, 50, 26), hair_light, 12, 0.8)
    art.glaze(cap, [(440, 210), (520, 260), (516, 400), (470, 320)], hair_dark, 14, 0.8)
    tones = (hair_dark, hair, hair, hair_light, (202, 96, 48))
    art.strands(
        [(362, 190), (296, 230), (262, 310), (262, 400)],
        [(366, 240), (340, 270), (302, 318), (282, 372)],
        90,
        tones,
        4,
        within=cap,
    )
    art.strands(
        [(370, 190), (450, 206), (504, 290), (508, 400)],
        [(370, 246), (420, 262), (470, 310), (490, 370)],
        90,
        tones,
        4,
        within=cap,
    )
    _braid(art, tones)
    art.line([(268, 360), (256, 420), (268, 480), (260, 520)], hair, 5)
    art.line([(506, 370), (516, 430), (506, 480)], hair, 4)

    reel = art.shape(ellipse(566, 900, 62, 62), (150, 98, 58))
    art.glaze(reel, ellipse(590, 926, 52, 50), (84, 48, 34), 14, 0.8)
    art.lay((214, 190, 140), art.mask(ellipse(566, 900, 42, 42), 1))
    for turn in range(9):
        art.line([(530, 872 + turn * 7), (566, 880 + turn * 7), (602, 870 + turn * 7)], (164, 128, 84), 2, share=0.7)
    art.shape(ellipse(566, 900, 15, 15), (110, 68, 44))
    art.line([(606, 868), (660, 760), (720, 560), (654, 412)], (246, 236, 214), 2, taper=False, share=0.9)
    art.brush(15000, 20, 5, 0.75)
    paint_features(art, face, head)
    for _ in range(70):
        x, y = art.random.gauss(0, 46), 36 + art.random.gauss(0, 15)
        size = art.random.uniform(1.1, 2.3)
        art.lay(
            (164, 88, 62),
            ImageChops.multiply(art.mask(face.at(ellipse(x, y, size, size)), 0.3), head),
            art.random.uniform(0.4, 0.75),
        )
    return art.finished()


def _braid(art: Painting, tones: Sequence[Colour]) -> None:
    """A braid that falls over the left shoulder."""
    path = curve([(276, 540), (262, 620), (268, 700), (290, 790), (300, 880), (292, 950)], steps=6)
    for index in range(2, len(path) - 3, 3):
        (x, y), size = path[index], 36 - index * 0.5
        for side in (1, -1):
            plait = art.shape(
                [
                    (x + side * size * 0.95, y - size * 0.7),
                    (x + side * size * 0.9, y + size * 0.3),
                    (x - side * size * 0.2, y + size),
                    (x - side * size * 0.3, y),
                ],
                tones[1],
            )
            art.glaze(
                plait, ellipse(x + side * size * 0.4 + 8, y + size * 0.5, size * 0.5, size * 0.4), tones[0], 5, 0.8
            )
            art.strands(
                [(x + side * size * 0.9, y - size * 0.6), (x, y + size * 0.3)],
                [(x + side * size, y + size * 0.3), (x - side * size * 0.2, y + size)],
                12,
                tones,
                3,
                within=plait,
            )
    x, y = path[-3]
    art.shape([(x - 17, y - 8), (x + 17, y - 8), (x + 15, y + 12), (x - 15, y + 12)], (196, 64, 52))
    art.strands([(x - 10, y + 8), (x - 20, y + 60)], [(x + 10, y + 8), (x + 16, y + 66)], 26, tones, 4)


def corvin() -> Image.Image:
    """The chart-maker in his attic."""
    art = Painting(23)
    art.gradient([(0, (44, 48, 58)), (0.5, (74, 66, 62)), (1, (40, 36, 42))])
    for index, (x, y, w, h, turn) in enumerate(
        (
            (20, 30, 210, 280, -4),
            (250, -20, 230, 220, 3),
            (520, 20, 240, 300, -3),
            (-40, 340, 200, 280, 5),
            (590, 350, 220, 290, 4),
        )
    ):
        corners = [(x, y + turn), (x + w, y - turn), (x + w + turn, y + h), (x + turn, y + h + turn)]
        sheet = art.shape(corners, mix((188, 164, 120), (104, 92, 82), 0.16 * (index % 3) + 0.14), smooth=False)
        art.glaze(
            sheet, [(x + w * 0.5, y), (x + w + 20, y), (x + w + 20, y + h), (x + w * 0.3, y + h)], (92, 76, 66), 40, 0.6
        )
        for shore in range(4):
            points = [
                (x + w * (0.1 + k * 0.16), y + h * (0.2 + shore * 0.17) + art.random.uniform(-16, 16)) for k in range(6)
            ]
            art.line(points, (78, 92, 98), 2.6, share=0.75, within=sheet)
        art.line(
            [(x + w * 0.3, y + h), (x + w * 0.45, y + h * 0.5), (x + w * 0.8, y)],
            (150, 74, 54),
            2,
            share=0.7,
            within=sheet,
        )
    art.glow(60, 560, 520, (255, 186, 92), 0.42)
    art.glow(690, 180, 340, (30, 34, 48), 0.55)

    face = Face(
        384, 392, (222, 182, 156), (142, 104, 98), (255, 226, 190), (206, 120, 100), (172, 100, 90), (222, 218, 210),
        (96, 126, 146), (62, 48, 50), wide=0.86, tall=1.06, smile=6, brow_width=13, brow_lift=-3, nose=1.12, eye=0.9,
        squint=1.5, age=0.85,
    )  # fmt: skip
    white, grey, dim = (240, 236, 226), (196, 194, 192), (136, 136, 144)
    art.shape(
        [(384, 188), (300, 196), (256, 260), (250, 350), (276, 420), (492, 420), (518, 350), (514, 256), (466, 194)],
        dim,
    )
    head = paint_head(art, face)
    coat_dark, coat, coat_light = (18, 22, 48), (38, 48, 92), (92, 108, 152)
    body = art.shape(shoulders(664, 90, 264), coat)
    art.glaze(body, [(460, 640), (700, 720), (720, 1060), (420, 1060)], coat_dark, 44, 0.85)
    art.glaze(body, ellipse(190, 790, 60, 130), coat_light, 36, 0.7)
    folds(
        art, body, coat_dark, coat_light, [[(206, 760), (232, 880), (222, 1040)], [(570, 760), (548, 900), (566, 1040)]]
    )
    arms(art, body, coat_dark, coat_light, 264)
    for x, y, tone in ((566, 486, 0.0), (622, 462, 0.25), (594, 520, 0.12)):
        paper = mix((228, 210, 170), (140, 116, 88), tone)
        roll = art.shape([(x - 22, y), (x + 22, y - 6), (x + 66, y + 240), (x + 22, y + 246)], paper, smooth=False)
        art.glaze(
            roll, [(x + 6, y - 20), (x + 40, y - 20), (x + 90, y + 250), (x + 40, y + 250)], (120, 96, 72), 6, 0.85
        )
        end = art.shape(ellipse(x, y - 2, 22, 9), mix(paper, (255, 244, 214), 0.5))
        art.line(ellipse(x, y - 2, 14, 5), (126, 100, 74), 2, taper=False, within=end)
        art.line(ellipse(x + 2, y - 2, 7, 2.4), (126, 100, 74), 2, taper=False, within=end)
    tube = art.shape([(556, 640), (676, 610), (730, 860), (600, 890)], (122, 98, 68), smooth=False)
    art.glaze(tube, [(640, 600), (720, 600), (760, 900), (670, 900)], (58, 44, 38), 18, 0.85)
    for y in (646, 700):
        art.line(
            [(556 + (y - 640) * 0.2, y), (620 + (y - 640) * 0.2, y - 8), (678 + (y - 640) * 0.2, y - 30)],
            (70, 46, 36),
            9,
            taper=False,
            within=tube,
        )
    body_over = art.shape(
        [(520, 724), (600, 744), (652, 850), (664, 1040), (470, 1040), (470, 800)], mix(coat, coat_dark, 0.55)
    )
    art.glaze(body_over, ellipse(540, 780, 40, 50), coat, 24, 0.7)
    for side, tone in ((-1, coat), (1, mix(coat, coat_dark, 0.6))):
        lapel = [
            (384 + side * 64, 680),
            (384 + side * 140, 716),
            (384 + side * 132, 800),
            (384 + side * 150, 830),
            (384 + side * 40, 1000),
            (384 + side * 16, 1000),
        ]
        mask = art.shape(lapel, tone)
        art.glaze(mask, moved(lapel, 18, 24), coat_dark, 12, 0.5)
        art.line(lapel[1:5], coat_light, 3, share=0.7)
    art.line([(384, 860), (386, 940), (384, 1040)], coat_dark, 7, taper=False)
    mustard, mustard_dark, mustard_light = (206, 156, 52), (124, 82, 32), (244, 208, 112)
    for points in (
        [
            (290, 600),
            (320, 660),
            (384, 690),
            (450, 660),
            (480, 600),
            (500, 660),
            (470, 728),
            (384, 756),
            (300, 728),
            (270, 660),
        ],
        [(350, 700), (420, 700), (436, 760), (396, 790), (350, 772), (336, 734)],
        [(362, 770), (402, 776), (420, 880), (396, 936), (352, 926), (350, 850)],
        [(396, 772), (424, 760), (470, 850), (456, 900), (424, 890)],
    ):
        scarf = art.shape(points, mustard)
        art.glaze(scarf, moved(points, 22, 24), mustard_dark, 14, 0.7)
        art.line(moved(points[:4], 0, 6), mustard_light, 6, within=scarf, blur=3, share=0.8)
        for _ in range(5):
            x, y = points[0]
            art.line(
                [(x + art.random.uniform(0, 90), y + art.random.uniform(0, 90)) for _ in range(2)],
                mustard_dark,
                4,
                within=scarf,
                blur=2,
                share=0.3,
            )
    pocket = [(232, 852), (322, 866), (318, 884), (230, 870)]
    for lean in (-9, 10):
        art.line([(272, 790), (272 + lean, 830), (272 + lean * 1.7, 872)], (206, 160, 78), 8, taper=False)
        art.line([(270, 792), (270 + lean, 832), (270 + lean * 1.7, 868)], (255, 228, 150), 2.2, taper=False)
    art.shape(ellipse(272, 786, 12, 12), (222, 178, 92))
    art.shape(pocket, mix(coat, coat_dark, 0.3), smooth=False)
    art.line(pocket[:2], coat_light, 3)

    hair = art.shape(
        [
            (396, 184),
            (330, 186),
            (276, 222),
            (250, 290),
            (248, 366),
            (274, 400),
            (286, 340),
            (302, 292),
            (340, 262),
            (400, 268),
            (456, 276),
            (482, 330),
            (492, 400),
            (520, 366),
            (520, 286),
            (492, 222),
            (450, 190),
        ],
        grey,
    )
    art.glaze(hair, ellipse(316, 230, 60, 40), white, 14, 0.9)
    art.glaze(hair, [(440, 160), (540, 220), (530, 390), (478, 330)], dim, 16, 0.8)
    tones = (white, white, grey, dim, (252, 248, 240))
    for one, other in (
        (
            [(380, 176), (310, 186), (254, 250), (238, 330), (262, 392)],
            [(380, 246), (330, 262), (296, 300), (284, 346), (280, 392)],
        ),
        (
            [(380, 176), (450, 176), (514, 240), (530, 320), (508, 392)],
            [(380, 246), (430, 256), (472, 292), (484, 346), (488, 392)],
        ),
        ([(330, 236), (390, 206), (470, 190), (520, 206)], [(320, 262), (380, 250), (460, 248), (500, 280)]),
        ([(262, 330), (238, 350), (226, 396)], [(272, 370), (258, 396), (252, 424)]),
        ([(506, 330), (530, 350), (540, 396)], [(496, 370), (510, 396), (516, 424)]),
    ):
        art.strands(one, other, 110, tones, 4.5, 7)
    beard = art.shape(
        [
            (270, 420),
            (292, 452),
            (312, 474),
            (346, 480),
            (384, 474),
            (424, 480),
            (456, 474),
            (476, 452),
            (498, 420),
            (494, 500),
            (462, 566),
            (420, 598),
            (384, 606),
            (346, 598),
            (306, 566),
            (274, 500),
        ],
        grey,
    )
    art.lay(
        mix(face.skin, face.shadow, 0.25),
        art.mask(curve(face.at([(-40, 98), (0, 92), (40, 98), (26, 116), (-26, 116)]), closed=True), 4),
    )
    art.glaze(beard, ellipse(330, 520, 44, 44), white, 20, 0.9)
    art.glaze(beard, [(420, 470), (510, 420), (490, 560), (400, 620)], dim, 20, 0.7)
    art.strands([(276, 440), (288, 520), (340, 604)], [(384, 508), (384, 560), (384, 618)], 150, tones, 4, 4)
    art.strands([(492, 440), (480, 520), (428, 604)], [(384, 508), (384, 560), (384, 618)], 150, (*tones, dim), 4, 4)
    art.strands([(382, 474), (346, 478), (314, 506)], [(382, 484), (352, 496), (322, 520)], 60, tones, 4, 3)
    art.strands([(386, 474), (422, 478), (454, 506)], [(386, 484), (416, 496), (446, 520)], 60, tones, 4, 3)
    art.brush(15000, 20, 5, 0.75)
    paint_features(art, face, head)
    art.strands([(384, 470), (350, 474), (318, 500)], [(384, 478), (354, 486), (326, 512)], 26, tones, 3.5, 3)
    art.strands([(384, 470), (418, 474), (450, 500)], [(384, 478), (414, 486), (442, 512)], 26, tones, 3.5, 3)
    for side in (-1, 1):
        x = 384 + side * 42
        rim = [*ellipse(x, 412, 37, 34), (x + 37, 412)]
        art.lay((235, 240, 240), art.mask(ellipse(x, 412, 36, 33)), 0.1)
        art.line(rim, (150, 112, 58), 3.4, taper=False)
        art.line([(x - 20, 392), (x - 8, 384), (x + 6, 384)], (255, 246, 220), 2.4, share=0.9)
        art.line([(x + side * 37, 408), (x + side * 62, 400)], (128, 94, 50), 3, taper=False)
    art.line([(380, 408), (384, 403), (389, 408)], (150, 112, 58), 3.6, taper=False)
    return art.finished()


def ilse() -> Image.Image:
    """The bell-keeper under her bell at dawn."""
    art = Painting(37)
    art.gradient([(0, (44, 42, 60)), (0.6, (66, 60, 72)), (1, (36, 34, 44))])
    for row in range(15):
        for column in range(-1, 6):
            x, y = column * 150 + (row % 2) * 75, row * 70
            tone = mix((70, 66, 80), (52, 48, 62), art.random.random())
            art.shape(
                [(x + 3, y + 3), (x + 146, y + 3), (x + 146, y + 66), (x + 3, y + 66)], tone, smooth=False, soft=2
            )
    arch = [
        (30, 720),
        (30, 300),
        *curve([(30, 300), (58, 204), (130, 150), (202, 204), (230, 300)]),
        (230, 300),
        (230, 720),
    ]
    window = art.shape(arch, (240, 196, 150), smooth=False)
    art.glaze(window, [(0, 100), (260, 100), (260, 330), (0, 330)], (110, 150, 176), 60, 0.95)
    art.glaze(window, [(0, 560), (260, 560), (260, 720), (0, 720)], (120, 128, 140), 12, 0.9)
    art.glaze(window, ellipse(150, 540, 70, 36), (255, 236, 190), 20, 0.95)
    for y in (610, 640, 672):
        art.line([(40, y), (130, y - 3), (222, y + 2)], (255, 226, 184), 4, within=window, share=0.8)
    for start, end in pairwise(arch):
        art.line([start, end], (34, 32, 44), 12, taper=False)
    art.shape([(10, 712), (250, 712), (262, 744), (-2, 744)], (84, 80, 94), smooth=False)
    art.glow(130, 420, 420, (255, 206, 150), 0.3)
    bell = art.shape(
        [(560, -20), (470, 10), (440, 110), (420, 220), (370, 292), (384, 316), (768, 330), (790, -20)], (104, 84, 58)
    )
    art.glaze(bell, [(610, -30), (800, -30), (800, 340), (640, 340)], (46, 38, 42), 50, 0.95)
    art.glaze(bell, [(500, 0), (540, 0), (510, 150), (470, 270), (440, 270), (470, 130)], (214, 176, 110), 18, 0.75)
    for y, wide in ((226, 8), (256, 4), (300, 10)):
        art.line([(400, y), (560, y + 16), (780, y + 18)], (66, 52, 44), wide, taper=False, within=bell, share=0.8)
        art.line([(400, y - 7), (560, y + 9), (780, y + 11)], (200, 164, 104), 3, taper=False, within=bell, share=0.5)
    art.line([(706, 300), (714, 600), (700, 1040)], (122, 96, 70), 16, taper=False)
    for y in range(320, 1030, 22):
        art.line([(694, y + 12), (706, y + 4), (720, y - 6)], (70, 52, 44), 4)

    hair_dark, hair, silver = (26, 20, 26), (52, 40, 44), (146, 142, 148)
    face = Face(
        384, 404, (126, 78, 56), (58, 32, 38), (190, 130, 92), (150, 66, 50), (116, 52, 50), (34, 24, 26),
        (70, 42, 28), (24, 14, 20), wide=0.95, tall=1.0, smile=4, brow_width=10, nose=1.16, brow_lift=0, age=0.14,
    )  # fmt: skip
    curls = art.shape(
        [
            (384, 180),
            (300, 190),
            (248, 240),
            (228, 320),
            (240, 372),
            (266, 420),
            (502, 420),
            (528, 372),
            (540, 320),
            (520, 240),
            (468, 190),
        ],
        hair_dark,
    )
    head = paint_head(art, face)
    dress = art.shape(shoulders(662, 70, 284), (58, 56, 64))
    art.glaze(dress, [(460, 640), (720, 720), (720, 1060), (420, 1060)], (26, 24, 32), 40, 0.9)
    neck_line = art.shape([(316, 640), (384, 690), (452, 640), (470, 700), (384, 742), (298, 700)], (78, 76, 86))
    art.glaze(neck_line, [(400, 640), (480, 640), (470, 740), (390, 750)], (34, 32, 40), 12, 0.8)
    ochre, ochre_dark, ochre_light = (200, 136, 48), (116, 64, 34), (242, 194, 104)
    for points in (
        [(310, 640), (220, 690), (136, 740), (96, 860), (86, 1040), (300, 1040), (372, 950), (384, 900), (340, 780)],
        [(458, 640), (548, 690), (632, 740), (674, 860), (684, 1040), (380, 1040), (330, 960), (384, 890), (430, 780)],
    ):
        shawl = art.shape(points, ochre)
        is_right = points[0][0] > 400
        art.glaze(shawl, moved(points, 60 if is_right else 30, 40), ochre_dark, 40, 0.75 if is_right else 0.4)
        lines = [
            [
                (points[0][0] + (x if is_right else -x), 690 + y),
                (points[0][0] + (x * 1.3 if is_right else -x * 1.3), 860 + y),
                (points[0][0] + (x * 0.8 if is_right else -x * 0.8), 1030),
            ]
            for x, y in ((30, 10), (90, 40), (150, 70))
        ]
        folds(art, shawl, ochre_dark, ochre_light, lines)
        for _ in range(170):
            x, y = art.random.uniform(70, 700), art.random.uniform(660, 1030)
            art.line(
                [(x, y), (x + 7, y + 6)], art.random.choice([ochre_dark, ochre_light]), 2.4, within=shawl, share=0.3
            )
        art.line(
            [points[0], points[-1], points[-2]],
            ochre_light,
            5,
            share=0.6,
        )
    red = (170, 44, 42)
    art.line([(318, 650), (336, 760), (384, 830), (432, 760), (450, 650)], red, 7, taper=False)
    art.line([(316, 650), (334, 760), (382, 828)], (226, 110, 90), 2, taper=False, share=0.8)
    iron, iron_light = (58, 58, 68), (156, 158, 172)
    art.line([*ellipse(384, 856, 27, 27), (411, 856)], iron, 8, taper=False)
    art.line(ellipse(383, 855, 28, 28)[24:36], iron_light, 3)
    for lean, long in ((-34, 110), (4, 132), (38, 104)):
        foot = (384 + lean * 1.6, 882 + long)
        art.line([(384 + lean * 0.5, 880), foot], iron, 10, taper=False)
        art.line([(381 + lean * 0.5, 880), (foot[0] - 3, foot[1])], iron_light, 2.5, taper=False, share=0.8)
        art.line([*ellipse(384 + lean * 0.5, 884, 13, 13), (397 + lean * 0.5, 884)], iron, 6, taper=False)
        for step in (0, 16):
            x, y = foot[0], foot[1] - step
            art.shape([(x, y - 10), (x + 22, y - 8), (x + 22, y + 2), (x, y + 2)], iron, smooth=False)

    art.shape(
        [
            (384, 196),
            (304, 206),
            (262, 262),
            (256, 350),
            (276, 372),
            (290, 312),
            (330, 280),
            (384, 272),
            (438, 280),
            (478, 312),
            (492, 372),
            (512, 350),
            (506, 262),
            (464, 206),
        ],
        hair_dark,
    )
    for _ in range(900):
        angle, radius = art.random.uniform(math.pi * 0.88, math.tau + math.pi * 0.12), art.random.uniform(0.5, 1.1)
        x, y = 384 + 142 * radius * math.cos(angle), 352 + 168 * radius * math.sin(angle)
        if ((x - 384) / 108) ** 2 + ((y - 404) / 138) ** 2 < 1:
            continue
        temple = abs(x - 384) > 96 and 290 < y < 400
        light = x < 370 and art.random.random() < 0.4
        tone = (
            silver
            if temple and art.random.random() < 0.42
            else (98, 74, 68)
            if light
            else art.random.choice([hair_dark, hair, hair])
        )
        size = art.random.uniform(6, 12)
        turn = art.random.uniform(0, math.tau)
        art.line(
            [(x + size * math.cos(turn + k * 0.9), y + size * math.sin(turn + k * 0.9)) for k in range(5)],
            tone,
            4,
            share=0.9,
        )
    assert curls.size
    art.brush(15000, 20, 5, 0.75)
    paint_features(art, face, head)
    art.line(face.at([(-60, -62), (-53, -46), (-49, -30)]), (196, 142, 116), 4.6, share=0.95)
    return art.finished()


def bram() -> Image.Image:
    """The apprentice with the fog float in the glow of the kiln."""
    art = Painting(53)
    art.gradient([(0, (42, 34, 38)), (0.5, (74, 50, 42)), (1, (34, 26, 30))])
    for row in range(20):
        for column in range(-1, 7):
            x, y = column * 124 + (row % 2) * 62, row * 52
            tone = mix((104, 62, 46), (62, 40, 38), art.random.random())
            art.shape(
                [(x + 3, y + 3), (x + 120, y + 3), (x + 120, y + 48), (x + 3, y + 48)], tone, smooth=False, soft=2
            )
    art.lay((36, 26, 32), art.mask([(300, 0), (768, 0), (768, 1024), (500, 1024)], 120), 0.6)
    for k in range(12):
        start, end = (math.pi * (1 + 0.1 * (k + gap)) for gap in (0.06, 0.94))
        brick = [
            (56 + (r - 28) * math.cos(t), 322 + r * math.sin(t))
            for r, t in ((142, start), (142, end), (186, end), (186, start))
        ]
        art.shape(brick, mix((190, 108, 66), (130, 72, 50), art.random.random()), smooth=False, soft=1)
    mouth = art.shape([(-40, 470), (-40, 250), (20, 190), (100, 190), (150, 260), (160, 470)], (255, 170, 64))
    art.glaze(mouth, ellipse(40, 380, 70, 90), (255, 240, 170), 24, 1)
    art.glaze(mouth, [(-40, 170), (160, 170), (170, 280), (-40, 250)], (186, 66, 30), 22, 0.8)
    art.glow(50, 360, 560, (255, 150, 62), 0.4)
    for x, y, radius, hue in (
        (560, 130, 60, (64, 124, 104)),
        (688, 210, 74, (52, 104, 110)),
        (460, 60, 40, (96, 140, 96)),
        (640, 380, 50, (70, 130, 112)),
        (250, 70, 46, (80, 124, 84)),
    ):
        art.line([(x, -10), (x + 2, y * 0.5), (x, y - radius)], (120, 98, 72), 4, taper=False)
        _float(art, x, y, radius, hue)

    straw_dark, straw, straw_light = (146, 98, 42), (216, 168, 84), (255, 222, 142)
    face = Face(
        384, 420, (240, 192, 156), (172, 104, 84), (255, 226, 184), (228, 118, 90), (196, 94, 80), (164, 116, 58),
        (126, 96, 48), (70, 42, 34), wide=0.99, tall=0.9, neck=0.74, smile=13, brow_width=8,
        brow_lift=-4, nose=0.78, eye=1.18,
    )  # fmt: skip
    art.shape(
        [(384, 214), (290, 226), (246, 290), (240, 390), (262, 440), (506, 440), (528, 390), (522, 290), (478, 226)],
        straw_dark,
    )
    head = paint_head(art, face)
    red_dark, red, red_light = (92, 30, 28), (164, 66, 44), (220, 122, 82)
    body = art.shape(shoulders(660, 84, 232), red)
    art.glaze(body, [(460, 640), (700, 720), (720, 1060), (430, 1060)], red_dark, 40, 0.8)
    art.glaze(body, ellipse(216, 800, 50, 120), red_light, 30, 0.7)
    for row in range(24):
        for column in range(34):
            x, y = 140 + column * 15, 690 + row * 15 + 22 * ((column - 17) / 17) ** 2
            art.line(
                [(x, y), (x + 5, y + 8), (x + 10, y)],
                art.random.choice([red_dark, red_light]),
                2.2,
                within=body,
                share=0.4,
            )
    roll = art.shape(
        [
            (304, 592),
            (340, 632),
            (384, 644),
            (428, 632),
            (464, 592),
            (486, 650),
            (440, 706),
            (384, 720),
            (328, 706),
            (282, 650),
        ],
        red,
    )
    art.glaze(roll, [(390, 640), (490, 620), (480, 720), (390, 740)], red_dark, 14, 0.7)
    for k in range(15):
        x = 300 + k * 12
        art.line(
            [(x, 622 + 42 * math.sin(math.pi * k / 14)), (x + 2, 676 + 30 * math.sin(math.pi * k / 14))],
            red_dark,
            3,
            within=roll,
            share=0.6,
        )
    hide_dark, hide, hide_light = (58, 36, 28), (122, 80, 52), (188, 136, 90)
    for side in (-1, 1):
        strap = art.shape(
            [(384 + side * 100, 676), (384 + side * 140, 690), (384 + side * 150, 840), (384 + side * 96, 840)],
            mix(hide, hide_dark, 0.3 if side > 0 else 0),
        )
        art.line([(384 + side * 106, 690), (384 + side * 104, 836)], hide_light, 2.5, within=strap, share=0.7)
    apron = art.shape([(226, 826), (384, 812), (542, 826), (574, 1040), (194, 1040)], hide)
    art.glaze(apron, [(430, 800), (580, 820), (600, 1050), (400, 1050)], hide_dark, 34, 0.8)
    art.line([(228, 832), (384, 820), (540, 832)], hide_light, 5, share=0.8)
    for k in range(22):
        art.line(
            [
                (236 + k * 14, 848 - 10 * math.sin(math.pi * k / 21)),
                (243 + k * 14, 848 - 10 * math.sin(math.pi * k / 21)),
            ],
            hide_light,
            2.4,
            share=0.7,
        )
    folds(art, apron, hide_dark, hide_light, [[(270, 870), (282, 960), (270, 1040)]])

    hair = art.shape(
        [
            (384, 206),
            (300, 214),
            (248, 268),
            (238, 352),
            (252, 410),
            (272, 396),
            (282, 340),
            (318, 306),
            (356, 330),
            (400, 300),
            (446, 326),
            (484, 318),
            (498, 396),
            (516, 410),
            (530, 350),
            (520, 268),
            (468, 214),
        ],
        straw,
    )
    art.glaze(hair, ellipse(316, 258, 50, 34), straw_light, 14, 0.9)
    art.glaze(hair, [(440, 200), (540, 260), (530, 420), (490, 340)], straw_dark, 18, 0.8)
    tones = (straw_dark, straw, straw, straw_light, (240, 196, 110))
    for one, other, count in (
        ([(392, 214), (310, 230), (252, 300), (244, 404)], [(392, 250), (340, 270), (300, 310), (276, 380)], 110),
        ([(392, 214), (460, 224), (520, 300), (522, 404)], [(392, 250), (440, 262), (484, 310), (498, 380)], 110),
        ([(400, 240), (360, 280), (330, 334)], [(400, 250), (400, 290), (394, 340)], 60),
        ([(400, 240), (420, 286), (416, 336)], [(410, 240), (462, 276), (478, 334)], 60),
        ([(380, 226), (362, 186), (346, 166)], [(430, 226), (434, 180), (448, 158)], 46),
    ):
        art.strands(one, other, count, tones, 4.6, 6)

    skin, shade = face.skin, face.shadow
    for side in (-1, 1):
        sleeve = art.shape(
            [
                (384 + side * 250, 840),
                (384 + side * 190, 800),
                (384 + side * 110, 900),
                (384 + side * 96, 990),
                (384 + side * 180, 1040),
                (384 + side * 262, 1040),
            ],
            red if side < 0 else mix(red, red_dark, 0.5),
        )
        art.glaze(sleeve, ellipse(384 + side * 150 + 20, 1000, 60, 50), red_dark, 20, 0.7)
        art.line(
            [(384 + side * 118, 904), (384 + side * 104, 950), (384 + side * 102, 988)],
            red_light if side < 0 else red,
            9,
            within=sleeve,
            share=0.8,
        )
    _float(art, 384, 900, 92, (74, 158, 128))
    art.glow(384, 900, 150, (170, 255, 214), 0.22)
    for points, width in (
        ([(330, 900), (360, 872), (400, 884), (430, 864)], 17),
        ([(340, 926), (380, 910), (420, 928), (440, 912)], 14),
        ([(352, 872), (384, 850), (410, 858)], 12),
    ):  # fmt: skip
        art.line(points, (236, 248, 242), width, blur=6, share=0.8)
    for side in (-1, 1):
        tone = skin if side < 0 else mix(skin, shade, 0.35)
        palm = art.shape(
            [
                (384 + side * 118, 912),
                (384 + side * 92, 934),
                (384 + side * 66, 976),
                (384 + side * 76, 1012),
                (384 + side * 124, 1000),
                (384 + side * 136, 950),
            ],
            tone,
        )
        art.glaze(palm, ellipse(384 + side * 112, 990, 34, 22), shade, 10, 0.6)
        for k in range(4):
            tip = (384 + side * (74 - k * 15), 936 + k * 17)
            base = (384 + side * (108 - k * 9), 958 + k * 12)
            art.line(
                [base, ((tip[0] + base[0]) / 2, (tip[1] + base[1]) / 2 + 3), tip],
                mix(tone, shade, 0.5),
                21,
                taper=False,
            )
            art.line([base, ((tip[0] + base[0]) / 2, (tip[1] + base[1]) / 2 + 2), tip], tone, 17, taper=False)
    art.brush(15000, 20, 5, 0.75)
    paint_features(art, face, head)
    opening = art.shape(face.at([(-30, 99), (0, 103), (30, 99), (18, 115), (0, 120), (-18, 115)]), (112, 40, 42))
    for side in (-1, 1):
        tooth = face.at([(side * 2.6, 100), (side * 15, 100), (side * 14, 109), (side * 3.2, 110)])
        art.lay((250, 244, 232), ImageChops.multiply(art.mask(curve(tooth, closed=True), 0.5), opening))
    art.glaze(opening, face.at(ellipse(0, 118, 13, 5)), (206, 104, 96), 2, 0.9)
    for _ in range(26):
        x, y = art.random.gauss(0, 42), 38 + art.random.gauss(0, 10)
        art.lay((200, 120, 84), ImageChops.multiply(art.mask(face.at(ellipse(x, y, 1.6, 1.6)), 0.3), head), 0.5)
    return art.finished()


def _float(art: Painting, x: float, y: float, radius: float, hue: Colour) -> None:
    """A glass float in a rope net."""
    ball = art.shape(ellipse(x, y, radius, radius), mix(hue, (20, 30, 34), 0.35))
    art.glaze(
        ball,
        ellipse(x + radius * 0.1, y + radius * 0.25, radius * 0.7, radius * 0.6),
        mix(hue, (210, 255, 226), 0.4),
        radius * 0.2,
        0.8,
    )
    art.line(ellipse(x, y, radius * 0.97, radius * 0.97), mix(hue, (14, 26, 30), 0.5), 4, taper=False, within=ball)
    rope = (146, 118, 82)
    for k in (-0.62, 0.0, 0.62):
        bend = radius * k
        art.line(
            [(x, y - radius), (x + bend * 1.2, y), (x, y + radius)],
            rope,
            max(2.4, radius * 0.05),
            taper=False,
            within=ball,
            share=0.75,
        )
        art.line(
            [(x - radius, y + bend * 0.7), (x, y + bend * 1.15), (x + radius, y + bend * 0.7)],
            rope,
            max(2.4, radius * 0.05),
            taper=False,
            within=ball,
            share=0.75,
        )
    art.glaze(
        ball,
        ellipse(x - radius * 0.4, y - radius * 0.42, radius * 0.2, radius * 0.14),
        (255, 255, 246),
        radius * 0.05,
        1,
    )
    art.line(
        [(x - radius * 0.82, y + radius * 0.2), (x - radius * 0.6, y + radius * 0.62),
         (x - radius * 0.2, y + radius * 0.84)],
        (255, 214, 150), max(2.0, radius * 0.05), share=0.7,
    )  # fmt: skip


PORTRAITS: dict[str, Callable[[], Image.Image]] = {
    "wenna-tarrow": wenna,
    "corvin-pask": corvin,
    "ilse-marram": ilse,
    "bram-lantry": bram,
}


def main(library: Path) -> None:
    """Draw every portrait into ``characters/<slug>/images/portrait.jpg`` below *library*."""
    for slug, draw in PORTRAITS.items():
        path = library / "characters" / slug / "images" / "portrait.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw().save(path, quality=86, optimize=True)
        print(f"{path}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else LIBRARY)
