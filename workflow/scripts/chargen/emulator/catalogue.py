"""The models that the emulator serves: sizes, ratios, tokens per picture, and what became of retired ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chargen.emulator.errors import no_such_model, retired_model

TEN = frozenset(["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"])
FOURTEEN = TEN | frozenset(["1:4", "4:1", "1:8", "8:1"])
DEFAULT_IMAGE_TOKENS = 1120


@dataclass(frozen=True)
class Model:
    """One model. ``sizes`` empty on an image model: image_size is ignored. ``image_tokens`` by size."""

    id: str
    makes_images: bool = False
    sizes: frozenset[str] = frozenset()
    ratios: frozenset[str] = FOURTEEN
    image_tokens: Mapping[str, int] = field(default_factory=dict)
    mime_type: str = "image/jpeg"

    def tokens_for(self, size: str) -> int:
        """Output tokens of one picture of that size."""
        return self.image_tokens.get(size) or self.image_tokens.get("1K") or DEFAULT_IMAGE_TOKENS

    @property
    def thinks(self) -> bool:
        """Whether replies carry thought tokens and signatures (everything but the 2.5 picture model)."""
        return self.id != "gemini-2.5-flash-image"

    def listing(self) -> dict[str, Any]:
        """The model as ``models.get`` shows it."""
        methods = ["generateContent", "countTokens", "batchGenerateContent"]
        return {
            "name": f"models/{self.id}",
            "version": "emulator",
            "displayName": f"{self.id} (emulated)",
            "description": "Answers with placeholders.",
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 32768,
            "supportedGenerationMethods": methods,
        }


_1K_TO_4K = frozenset(("1K", "2K", "4K"))
_BUILT_IN = (
    Model("gemini-nano-banana-2.1", True, _1K_TO_4K, FOURTEEN, {"1K": 1120, "2K": 1680, "4K": 2520}),
    Model("gemini-3-pro-image", True, _1K_TO_4K, TEN, {"1K": 1120, "2K": 1120, "4K": 2000}),
    Model("gemini-3.1-flash-lite-image", True, frozenset(("1K",)), TEN, {"1K": 1120}),
    Model(
        "gemini-3.1-flash-image",
        True,
        _1K_TO_4K | {"512"},
        FOURTEEN,
        {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
    ),
    Model("gemini-2.5-flash-image", True, frozenset(), TEN, {"1K": 1290}, "image/png"),
    Model("gemini-3.8-flash"),
    Model("gemini-3.6-flash"),
    Model("gemini-3.5-flash"),
    Model("gemini-3.5-flash-lite"),
    Model("gemini-3.1-pro-preview"),
)
_RETIRED: Mapping[str, str] = {
    "gemini-2.0-flash": "gemini-3.8-flash",
    "gemini-2.5-flash": "gemini-3.6-flash",
    "gemini-2.0-flash-preview-image-generation": "gemini-nano-banana-2.1",
    "imagen-3.0-generate-002": "gemini-nano-banana-2.1",
    "gemini-2.5-flash-image-preview": "gemini-2.5-flash-image",
    "gemini-3-pro-image-preview": "gemini-3-pro-image",
    "gemini-3.1-flash-image-preview": "gemini-3.1-flash-image",
}


@dataclass(frozen=True)
class Catalogue:
    """Models by id, and successors of retired ones."""

    models: Mapping[str, Model]
    retired: Mapping[str, str]

    def serving(self, name: str, version: str, method: str) -> Model:
        """The model *name*; ApiError 404 when it is unknown, retired, or a preview asked for under ``v1``."""
        model = self.models.get(name)
        if model is None and name in self.retired:
            raise retired_model(name, self.retired[name])
        if model is None or (version == "v1" and name.endswith("-preview")):
            raise no_such_model(name, version, method)
        return model


def built_in(also_serve: Iterable[str] = ()) -> Catalogue:
    """The catalogue and *also_serve*: retired or invented names; with ``image`` in the name they make
    pictures.
    """
    models = {model.id: model for model in _BUILT_IN}
    for name in also_serve:
        models.setdefault(name, Model(name, "image" in name, _1K_TO_4K if "image" in name else frozenset()))
    return Catalogue(models, {name: heir for name, heir in _RETIRED.items() if name not in models})
