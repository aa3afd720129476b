"""A small library on disk, and plans of it."""

from __future__ import annotations

import textwrap

import yaml
from PIL import Image

from chargen.base import schemas as schema
from chargen.library.load import load_library
from chargen.library.spec import spec_hash
from chargen.operations.generate.plan import make_plan
from chargen.records import settings as config


class World:
    """A library, and plans of it."""

    def __init__(self, home):
        self.home = home
        self.defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text()) | {"library": "story"}
        (home / "story").mkdir()
        (home / "story" / "chargen.yaml").write_text("style: Painted in gouache and ink, matte, soft brushwork.\n")

    def write(self, name, text):
        path = self.home / "story" / name / "imagery.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())

    def settings(self, **changes):
        merged = {**self.defaults}
        for key, value in changes.items():
            merged[key] = merged[key] | value if isinstance(value, dict) else value
        return config.settings(merged, self.home)

    def plan(self, **changes):
        return make_plan(self.settings(**changes))

    def picture(self, name, colour="teal"):
        path = self.home / "story" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 64), colour).save(path)
        return path

    def stub(self, name):
        """What iCloud Drive leaves of a picture that it keeps elsewhere."""
        path = self.home / "story" / name
        path = path.with_name(f".{path.name}.icloud")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bplist00")

    def style_images(self, *paths):
        """Plan with examples of the style."""
        text = (schema.ROOT / "config" / "styles.yaml").read_text()
        (self.home / "styles.yaml").write_text(text.replace("style_images: []", f"style_images: {list(paths)}"))
        self.defaults["styles"] = "styles.yaml"

    def record(self, name, scene, file, provider="google", status="generated", spec=""):
        """Record *file* as the picture of *scene*, made from its present words."""
        entity = next(e for e in load_library(self.home / "story").entities.values() if e.folder.name == name)
        spec = spec or spec_hash(next(s for s in entity.scenes if s.id == scene))
        with (entity.folder / "imagery.yaml").open("a") as handle:
            if not entity.records:
                handle.write("generated_images:\n")
            handle.write(
                f'  - scene: "{scene}"\n    custom_id: "{scene}"\n    file_name: "{file}"\n'
                f'    file_path: "images/{file}"\n    status: "{status}"\n    provider: "{provider}"\n'
                f'    task_key: "character/{name}/{scene}@sha256:0000000000000000"\n    spec_hash: "{spec}"\n'
            )
