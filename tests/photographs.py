"""A folder of photographs as people have them: many formats, turned, with transparency, in print colours, broken."""

from __future__ import annotations

import os
from itertools import cycle
from pathlib import Path

from PIL import Image

ASKED = "Make it a painting."


def photograph(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A picture that differs for each *seed* and from corner to corner."""
    across = Image.linear_gradient("L").resize((width, height))
    down = across.transpose(Image.Transpose.ROTATE_90).resize((width, height))
    plain = Image.merge("RGB", (across, down, Image.new("L", (width, height), (40 + 37 * seed) % 256)))
    if mode == "RGBA":
        plain.putalpha(across)
        return plain
    return plain.convert(mode)


def make_folder(folder: Path) -> None:
    """Twelve pictures that can be sent, and four files that cannot."""
    (folder / "sea" / "old").mkdir(parents=True)
    photograph(400, 300).save(folder / "plain.jpg")
    turned = Image.Exif()
    turned[0x0112] = 6
    photograph(400, 300, seed=1).save(folder / "turned.jpg", exif=turned)
    photograph(300, 300, "RGBA", 2).save(folder / "glass.png")
    photograph(320, 180, seed=3).save(folder / "wide.webp")
    photograph(300, 400, "CMYK", 4).save(folder / "print.jpg")
    photograph(5000, 900, seed=5).save(folder / "huge.jpg", quality=60)
    photograph(300, 200, seed=6).save(folder / "sea" / "pier.jpg")
    photograph(300, 200, seed=7).save(folder / "sea" / "pier.png")
    photograph(300, 200, "P", 8).save(folder / "sea" / "buoy.gif")
    photograph(300, 200, seed=9).save(folder / "sea" / "old" / "scan.tiff")
    photograph(300, 200, "L", 10).save(folder / "sea" / "old" / "grey name, with signs.jpg")
    photograph(300, 200, seed=11).save(folder / "sea" / "old" / "bitmap.bmp")
    (folder / "prompt.txt").write_text(ASKED)
    (folder / "sea" / "prompt.txt").write_text("Make it a woodcut.")
    (folder / "sea" / "old" / "scan.txt").write_text("Repair the scratches.")
    (folder / "broken.jpg").write_bytes((folder / "plain.jpg").read_bytes()[:2000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.md").write_text("not a picture")
    (folder / "pointer.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


ORIENTATIONS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera stores a picture for each value of the EXIF orientation, so that a viewer shows it upright."""


def save_turned(upright: Image.Image, path: Path, orientation: int) -> None:
    """Save a JPEG as a camera held that way does."""
    turn = ORIENTATIONS[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    (upright.transpose(turn) if turn is not None else upright).save(path, exif=exif, quality=90)


def _deep(path: Path, seed: int) -> None:
    photograph(200, 160, "L", seed).convert("I").point(lambda value: value * 257).convert("I;16").save(path)


def _moving(path: Path, seed: int) -> None:
    frames = [photograph(200, 160, seed=seed + step) for step in (0, 100, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80)


KINDS = {
    **{
        f"held-{value}.jpg": lambda path, seed, value=value: save_turned(photograph(320, 180, seed=seed), path, value)
        for value in ORIENTATIONS
    },
    "glass.png": lambda path, seed: photograph(200, 200, "RGBA", seed).save(path),
    "web.webp": lambda path, seed: photograph(240, 180, seed=seed).save(path),
    "print.jpg": lambda path, seed: photograph(180, 240, "CMYK", seed).save(path),
    "deep.png": _deep,
    "palette.png": lambda path, seed: photograph(200, 160, "P", seed).save(path),
    "grey.jpg": lambda path, seed: photograph(200, 160, "L", seed).save(path),
    "moving.gif": _moving,
    "moving.webp": _moving,
    "scan.tiff": lambda path, seed: photograph(210, 297, seed=seed).save(path),
    "bitmap.bmp": lambda path, seed: photograph(200, 160, seed=seed).save(path),
    "plain.jpg": lambda path, seed: photograph(300, 200, seed=seed).save(path),
}
HEIC = "telephone.heic"
FOLDERS = ("", "Österreich 2024", "sea/pier", "海", "sea/old, with signs")


def make_album(folder: Path, count: int, *, heic: bool) -> tuple[set[str], dict[str, str]]:
    """Make *count* files of mixed kinds in five folders, three of them too large, and as many HEIC ones as of other
    kinds with *heic*; return the names of those that can be sent, and of the others with words of the reason.
    """
    kinds = dict(KINDS)
    if heic:
        import pillow_heif

        pillow_heif.register_heif_opener()
        kinds[HEIC] = lambda path, seed: photograph(320, 180, seed=seed).save(path, quality=60)
    bad = _spoil(folder)
    good = {"Coast.jpg", "coast.jpg", "coast.png", "huge.jpg", "sea/huge.png", "wide.tif"}
    (folder / "sea").mkdir(exist_ok=True)
    for number, name in enumerate(("Coast.jpg", "coast.jpg", "coast.png")):
        photograph(200, 150, seed=1000 + number).resize((200, 151 + number)).save(folder / name)
    photograph(5000, 900, seed=1).save(folder / "huge.jpg", quality=60)
    photograph(900, 4000, seed=2).save(folder / "sea/huge.png")
    photograph(4000, 500, seed=3).save(folder / "wide.tif")
    for number, (kind, place) in enumerate(zip(cycle(kinds), cycle(FOLDERS), strict=False)):
        if len(good) + len(bad) == count:
            return good, bad
        name = f"{place}/{number:03}-{kind}".lstrip("/")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        kinds[kind](folder / name, 2000 + number)
        good.add(name)
    raise AssertionError("cycles do not end")


def _spoil(folder: Path) -> dict[str, str]:
    """Make what cannot be sent; return the names with words of the reason."""
    (folder / "bad").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "secret.jpg").write_bytes(b"x")
    (folder / ".DS_Store").write_bytes(b"x")
    outside = folder.parent / "outside.jpg"
    photograph(100, 100).save(outside)
    whole = outside.read_bytes()
    (folder / "bad" / "link.jpg").symlink_to(outside)
    (folder / "bad" / "nowhere.jpg").symlink_to(folder / "nothing.jpg")
    (folder / "bad" / "round").symlink_to(folder)
    (folder / "bad" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "bad" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 20)
    (folder / "bad" / "empty.jpg").write_bytes(b"")
    (folder / "bad" / "notes.txt").write_text("a text")
    (folder / "bad" / "loading.jpg.part").write_bytes(whole)
    with open(os.fsencode(folder / "bad") + b"/caf\xe9.jpg", "wb") as file:  # noqa: PTH123
        file.write(whole)
    return {
        "bad/link.jpg": "outside the folder",
        "bad/nowhere.jpg": "broken link",
        "bad/cut.jpg": "not a complete picture",
        "bad/broken.png": "not a complete picture",
        "bad/empty.jpg": "is empty",
        "bad/notes.txt": "is not a picture",
        "bad/loading.jpg.part": "unfinished",
        "bad/caf\\xe9.jpg": "not UTF-8",
    }
