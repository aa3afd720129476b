"""The models that the emulator serves: sizes, ratios, tokens per picture, and what became of retired ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chargen.base.errors import ChargenError
from chargen.base.image_sizes import size_table
from chargen.base.schemas import ROOT
from chargen.emulator.errors import no_such_model, retired_model

TEN = frozenset(["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"])
FOURTEEN = TEN | frozenset(["1:4", "4:1", "1:8", "8:1"])
DEFAULT_IMAGE_TOKENS = 1120
INPUT_TOKENS = 1120
MODELS_FILE = ROOT / "config" / "models.yaml"


@dataclass(frozen=True)
class Model:
    """One model. ``sizes`` empty on an image model: image_size is ignored. ``image_tokens`` by size."""

    id: str
    makes_images: bool = False
    sizes: frozenset[str] = frozenset()
    ratios: frozenset[str] = FOURTEEN
    image_tokens: Mapping[str, int] = field(default_factory=dict)
    mime_type: str = "image/jpeg"
    embeds: bool = False
    shutdown: str = ""
    successor: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)  # tokens of a picture sent in, by resolution
    input_limit: int = 1048576
    output_limit: int = 32768

    def tokens_for(self, size: str) -> int:
        """Output tokens of one picture of that size."""
        return self.image_tokens.get(size) or self.image_tokens.get("1K") or DEFAULT_IMAGE_TOKENS

    def tokens_for_input(self, resolution: str) -> int:
        """Tokens of one picture that is sent in; *resolution* as a request names it, or empty."""
        return self.seen.get(resolution.removeprefix("MEDIA_RESOLUTION_").lower()) or self.seen.get("", INPUT_TOKENS)

    def is_shut_down(self, today: str) -> bool:
        """Whether the model is gone on *today*, an ISO date; never if that is empty."""
        return bool(self.shutdown) and self.shutdown <= today

    @property
    def thinks(self) -> bool:
        """Whether replies carry thought tokens and signatures (everything but the 2.5 picture model)."""
        return self.id != _PNG

    def listing(self) -> dict[str, Any]:
        """The model as ``models.get`` shows it."""
        methods = ["generateContent", "countTokens", "batchGenerateContent"]
        if self.embeds:
            methods = ["embedContent", "countTokens", "asyncBatchEmbedContent"]
        return {
            "name": f"models/{self.id}",
            "version": "emulator",
            "displayName": f"{self.id} (emulated)",
            "description": "Answers with placeholders.",
            "inputTokenLimit": self.input_limit,
            "outputTokenLimit": self.output_limit,
            "supportedGenerationMethods": methods,
        }


_1K_TO_4K = frozenset(("1K", "2K", "4K"))
_PNG = "gemini-2.5-flash-image"  # the only picture model that answers PNG, and ignores image_size
_FALLBACK: Mapping[str, Any] = {
    "image_models": {
        "gemini-nano-banana-2.1": {"sizes": {"1K": {"tokens": 1120}, "2K": {"tokens": 1680}, "4K": {}}},
        "gemini-3-pro-image": {"sizes": {"1K": {}, "2K": {}, "4K": {"tokens": 2000}}, "ratios": "ten"},
        "gemini-3.1-flash-image": {"sizes": {"512": {"tokens": 747}, "1K": {}, "2K": {}, "4K": {}}},
        _PNG: {"ratios": "ten", "sizes": {"1K": {"tokens": 1290}}},
    },
    "text_models": {"gemini-3.8-flash": {}, "gemini-3.5-flash-lite": {}},
    "retired": {"gemini-2.0-flash": {"successor": "gemini-3.8-flash"}},
    "ratio_sets": {"ten": sorted(TEN)},
}
# Served or retired by the API whether or not chargen offers them.
_MORE_TEXT = ("gemini-3.6-flash", "gemini-3.5-flash")
_EMBEDDING = ("gemini-embedding-001", "gemini-embedding-2")
_MORE_RETIRED: Mapping[str, str] = {"gemini-2.5-flash": "gemini-3.6-flash"}


@dataclass(frozen=True)
class Catalogue:
    """Models by id, and successors of retired ones."""

    models: Mapping[str, Model]
    retired: Mapping[str, str]

    def serving(
        self, name: str, version: str, method: str, *, today: str = "", list_method: str = "ListModels"
    ) -> Model:
        """The model *name*; ApiError 404 when it is unknown, retired, or a preview asked for under ``v1``.

        *today* (an ISO date) counts those as retired that are shut down by then. *list_method* is what the error
        advises to call. A model that does not support *method* is not found either.
        """
        model = self.models.get(name)
        if model is None and name in self.retired:
            raise retired_model(name, self.retired[name])
        if model is not None and model.is_shut_down(today):
            raise retired_model(name, model.successor)
        if model is None or (version == "v1" and name.endswith("-preview")):
            raise no_such_model(name, version, method, list_method)
        if method not in ("getModel", "countTokens") and model.embeds != ("mbed" in method):
            raise no_such_model(name, version, method, list_method)
        return model


def load(models_file: Path = MODELS_FILE, also_serve: Iterable[str] = ()) -> Catalogue:
    """The models of ``config/models.yaml`` (a few built-in ones if it is not there) and *also_serve*.

    The latter are retired or invented names; with ``image`` in the name they make pictures.
    """
    data = _read(models_file)
    ratio_sets = data["ratio_sets"]
    models = {name: _image_model(name, facts or {}, ratio_sets) for name, facts in data["image_models"].items()}
    for name, facts in {**dict.fromkeys(_MORE_TEXT), **data["text_models"]}.items():
        models[name] = Model(name, **_counting(facts or {}))
    for name in _EMBEDDING:
        models[name] = Model(name, embeds=True)
    for name in also_serve:
        makes_images = "image" in name
        invented = Model(name, makes_images, _1K_TO_4K if makes_images else frozenset())
        models[name] = dataclasses.replace(models.get(name, invented), shutdown="")
    retired = {**_MORE_RETIRED, **{name: facts["successor"] for name, facts in data["retired"].items()}}
    return Catalogue(models, {name: heir for name, heir in retired.items() if name not in models})


class ModelsFile:
    """The models of a file, read again when the file has changed: a model or size can be added while this serves."""

    def __init__(self, models_file: Path = MODELS_FILE, also_serve: Iterable[str] = ()) -> None:
        self._path, self._also_serve = models_file, tuple(also_serve)
        self._read_at = -1
        self._catalogue = Catalogue({}, {})

    def __call__(self) -> Catalogue:
        """Return the models as the file has them now."""
        changed_at = self._path.stat().st_mtime_ns if self._path.exists() else 0
        if changed_at != self._read_at:
            try:
                self._catalogue = load(self._path, self._also_serve)
            except ChargenError:
                if self._read_at < 0:
                    raise
            self._read_at = changed_at  # a file that is half written is read again once it is whole
        return self._catalogue


def _read(models_file: Path) -> Mapping[str, Any]:
    if not models_file.exists():
        return _FALLBACK
    import yaml

    try:
        data = yaml.load(models_file.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ChargenError(f"{models_file}: is not YAML: {error}") from None
    return {section: (data or {}).get(section) or {} for section in _FALLBACK}


def _image_model(name: str, facts: Mapping[str, Any], ratio_sets: Mapping[str, Any]) -> Model:
    table = {str(size): of_size or {} for size, of_size in (size_table(facts) or {}).items()}
    tokens = {size: int(of_size["tokens"]) for size, of_size in table.items() if "tokens" in of_size}
    sizes = frozenset() if name == _PNG else frozenset(table)
    ratios = frozenset(map(str, ratio_sets.get(str(facts.get("ratios"))) or FOURTEEN))
    mime_type = "image/png" if name == _PNG else "image/jpeg"
    return Model(name, True, sizes, ratios, tokens, mime_type, **_counting(facts))


def _counting(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a model's entry says of tokens that go in, of its limits and of its end."""
    given = {"seen": facts.get("media_resolution") or {}}
    if "input_image_tokens" in facts:
        given["seen"] = {**given["seen"], "": facts["input_image_tokens"]}
    names = {"input_limit": "input_tokens", "output_limit": "output_tokens"}
    given |= {name: str(facts[name]) for name in ("shutdown", "successor") if name in facts}
    return given | {name: facts[key] for name, key in names.items() if key in facts}
