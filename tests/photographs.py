"""A folder of photographs as people have them: many formats, turned, with transparency, in print colours, broken."""

from __future__ import annotations

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
    (folder / "sea" / "old" / "scan.txt").write_text("Mend the scratches.")
    (folder / "broken.jpg").write_bytes((folder / "plain.jpg").read_bytes()[:2000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.md").write_text("not a picture")
    (folder / "pointer.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
