"""A model's reply to one request: a drawn picture, JSON that fits a schema, or a sentence."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import pybase64

from chargen.emulator.catalogue import Model
from chargen.emulator.errors import ApiError, invalid
from chargen.emulator.requests import Reference, Request, plain_size

_MODALITIES = {"image": "IMAGE", "video": "VIDEO", "audio": "AUDIO", "application": "DOCUMENT"}


@dataclass(frozen=True, slots=True)
class Manners:
    """How replies deviate from the plain ones: size ignored, another model named, bulky signatures, odd
    pictures.
    """

    ignore_image_size: bool = False
    ignore_schema: str = ""  # the member of the generation config that counts for nothing
    reroute: Mapping[str, str] | None = None
    signature_bytes: int = 0
    drafts: int = 0
    drafts_are_thoughts: bool = False
    all_are_thoughts: bool = False
    broken: str = ""  # "truncated", "not_an_image", "not_base64"


@dataclass(frozen=True, slots=True)
class Material:
    """A reference with its bytes."""

    reference: Reference
    data: bytes


def collect(request: Request, read_file: Callable[[str], bytes]) -> list[Material]:
    """The bytes of every reference. *read_file* maps a file id to bytes or raises ApiError 403.

    Raises ApiError 400 for pictures that are none and for addresses that are not uploaded files.
    """
    found = []
    for reference in request.references:
        if reference.file_id:
            data = read_file(reference.file_id)
        elif reference.data:
            data = _decoded(reference.data)
        else:
            raise _elsewhere()
        if reference.mime_type.startswith("image/"):
            _must_be_a_picture(data)
        found.append(Material(reference, data))
    return found


def inspect(request: Request, find_file: Callable[[str], Path]) -> None:
    """Raise what ``collect`` would raise, without reading uploaded files whole. *find_file* maps an id to a path."""
    for reference in request.references:
        if reference.file_id:
            path = find_file(reference.file_id)
            if reference.mime_type.startswith("image/") and not _is_picture(path):
                raise _no_picture()
        elif reference.data:
            data = _decoded(reference.data)
            if reference.mime_type.startswith("image/"):
                _must_be_a_picture(data)
        else:
            raise _elsewhere()


@lru_cache(maxsize=4096)
def _is_picture(path: Path) -> bool:
    """Whether a stored content (named by its hash, so that it never changes) is a picture."""
    from chargen.emulator import picture

    try:
        picture.measure(path)
    except OSError:
        return False
    return True


def prompt_tokens(request: Request) -> int:
    """Tokens of the request's texts, roughly a quarter of the characters."""
    return max(1, (len(request.prompt) + 3) // 4)


def counted(model: Model, request: Request) -> dict[str, Any]:
    """The body of a CountTokensResponse."""
    usage = _usage(model, request, request.references)
    return {"totalTokens": usage["promptTokenCount"], "promptTokensDetails": usage["promptTokensDetails"]}


def reply(model: Model, request: Request, key: str, materials: Sequence[Material], manners: Manners) -> dict[str, Any]:
    """The body of a GenerateContentResponse: the same for the same key, request and references."""
    seed = _seed(model, request, key, materials)
    if model.makes_images and (not request.modalities or "IMAGE" in request.modalities):
        body = _picture_reply(model, request, key, materials, manners, seed)
    else:
        body = _text_reply(model, request, key, materials, seed, manners)
    rerouted = (manners.reroute or {}).get(model.id, model.id)
    return body | {"modelVersion": rerouted, "responseId": response_id(seed)}


def response_id(seed: str) -> str:
    """23 URL-safe characters, as the API's."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"response|{seed}".encode()).digest())[:23].decode()


def _seed(model: Model, request: Request, key: str, materials: Sequence[Material]) -> str:
    parts = [key, model.id, request.prompt, request.aspect_ratio, request.image_size]
    parts += [hashlib.sha256(material.data).hexdigest() for material in materials]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def _picture_reply(
    model: Model, request: Request, key: str, materials: Sequence[Material], manners: Manners, seed: str
) -> dict[str, Any]:
    from chargen.emulator import picture

    size = plain_size(request.image_size) or "1K"
    if manners.ignore_image_size or not model.sizes:
        size = "1K"
    images = [material.data for material in materials if material.reference.mime_type.startswith("image/")]
    parts: list[dict[str, Any]] = []
    if "TEXT" in request.modalities or not request.modalities:
        parts.append({"text": "Here is a placeholder for your image: "})
    count = manners.drafts + 1
    for number in range(count):
        last = number == count - 1
        canvas = picture.draw(
            picture.pixel_size(request.aspect_ratio, size),
            key or "generateContent",
            request.prompt,
            images,
            seed=key or seed,
            note="" if last else f"draft {number + 1}",
        )
        data = _spoiled(picture.encode(canvas, model.mime_type), manners.broken)
        part: dict[str, Any] = {"inlineData": {"mimeType": model.mime_type, "data": data}}
        if manners.all_are_thoughts or (not last and manners.drafts_are_thoughts):
            part["thought"] = True
        if model.thinks:
            part["thoughtSignature"] = _signature(seed, manners.signature_bytes)
        parts.append(part)
    usage = _usage(model, request, [material.reference for material in materials])
    image_tokens = model.tokens_for(size) * count
    extra = 96 if model.thinks else 0
    usage["candidatesTokenCount"] = image_tokens + extra
    usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": image_tokens}]
    if model.thinks:
        usage["thoughtsTokenCount"] = _thoughts(request, seed, 179)
    return _body(parts, usage)


def _text_reply(
    model: Model, request: Request, key: str, materials: Sequence[Material], seed: str, manners: Manners
) -> dict[str, Any]:
    is_ignored = manners.ignore_schema and manners.ignore_schema in request.generation
    if request.schema is not None and not is_ignored:
        from chargen.emulator import structured

        value = structured.answer(request.schema, _seen(request, key, materials, seed))
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    elif request.json_wanted:
        text = orjson.dumps({"placeholder": _sentence(request, key, materials)}).decode()
    else:
        text = _sentence(request, key, materials)
    part: dict[str, Any] = {"text": text}
    if model.thinks:
        part["thoughtSignature"] = _signature(seed, 0)
    usage = _usage(model, request, [material.reference for material in materials])
    usage["candidatesTokenCount"] = max(1, len(text) // 4)
    usage["thoughtsTokenCount"] = _thoughts(request, seed, 62)
    return _body([part], usage)


def _seen(request: Request, key: str, materials: Sequence[Material], seed: str) -> Any:
    from chargen.emulator import picture, structured

    first = next((m.data for m in materials if m.reference.mime_type.startswith("image/")), b"")
    width, height = picture.measure(first) if first else (0, 0)
    colours = tuple(picture.dominant_colours(first)) if first else ()
    return structured.Seen(width, height, colours, _sentence(request, key, materials), seed, _is_placeholder(first))


def _sentence(request: Request, key: str, materials: Sequence[Material]) -> str:
    from chargen.emulator import picture

    about = " ".join(request.prompt.split())[:120]
    pictures = [m.data for m in materials if m.reference.mime_type.startswith("image/")]
    if not pictures:
        return f"Placeholder answer of the chargen emulator to: {about}"
    width, height = picture.measure(pictures[0])
    tones = ", ".join(picture.dominant_colours(pictures[0], 3))
    drawn = _is_placeholder(pictures[0])
    what = "a placeholder landscape with hills under a soft sky" if drawn else "a picture"
    size = f"{width} by {height} pixels"
    return f"Shows {what}, {size}, mostly in {tones}; said by the chargen emulator of {key or 'it'}"


def _is_placeholder(data: bytes) -> bool:
    from chargen.emulator import picture

    return picture.MARKER.encode() in data[:4096]


def _usage(model: Model, request: Request, references: Sequence[Reference]) -> dict[str, Any]:
    texts = prompt_tokens(request)
    details = [{"modality": "TEXT", "tokenCount": texts}]
    total = texts
    by_modality: dict[str, int] = {}
    resolution = str(request.generation.get("mediaResolution") or "")
    for reference in references:
        modality = _MODALITIES.get(reference.mime_type.split("/")[0], "TEXT")
        by_modality[modality] = by_modality.get(modality, 0) + model.tokens_for_input(resolution)
    for modality, tokens in by_modality.items():
        details.append({"modality": modality, "tokenCount": tokens})
        total += tokens
    return {"promptTokenCount": total, "promptTokensDetails": details, "serviceTier": _service_tier(request)}


def _service_tier(request: Request) -> str:
    asked = str(request.body.get("serviceTier") or "").lower().removeprefix("service_tier_")
    return asked if asked in ("flex", "priority") else "standard"


def _thoughts(request: Request, seed: str, usual: int) -> int:
    """How many tokens were thought: about *usual*, as in recorded replies, differently for each request and level."""
    level = str((request.generation.get("thinkingConfig") or {}).get("thinkingLevel") or "").lower()
    share = 0.6 + int(hashlib.sha256(f"thoughts|{seed}".encode()).hexdigest()[:4], 16) / 0xFFFF
    return max(1, round(usual * share * {"minimal": 0.25, "low": 0.5, "high": 3}.get(level, 1)))


def _body(parts: list[dict[str, Any]], usage: dict[str, Any]) -> dict[str, Any]:
    counted = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    usage["totalTokenCount"] = sum(int(usage.get(name, 0)) for name in counted)
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage}


def _signature(seed: str, size: int) -> str:
    block = hashlib.sha512(f"signature|{seed}".encode()).digest()
    return pybase64.b64encode((block * (max(size, 192) // len(block) + 1))[: max(size, 192)]).decode()


def _spoiled(data: bytes, how: str) -> str:
    if how == "truncated":
        data = data[: len(data) * 2 // 3]
    elif how == "not_an_image":
        data = b"This was to be a picture, said the emulator, and is not one. " * 20
    text = pybase64.b64encode(data).decode()
    return text[: len(text) // 2] + "*!*" + text[len(text) // 2 :] if how == "not_base64" else text


def _decoded(data: str) -> bytes:
    """The bytes of *data*, in either alphabet of base64, padded or not, as protobuf's JSON takes it."""
    plain = data.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return pybase64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Invalid value at 'contents.parts.inline_data.data': Base64 decoding failed.") from None


def _no_picture() -> ApiError:
    return invalid("Unable to process input image. Please retry.")


def _elsewhere() -> ApiError:
    return invalid("Cannot fetch content from the provided URL.")


def _must_be_a_picture(data: bytes) -> None:
    from chargen.emulator import picture

    try:
        picture.measure(data)
    except OSError:
        raise _no_picture() from None


def with_drafts(manners: Manners, *, thoughts: bool) -> Manners:
    """The same manners with one draft before the picture."""
    return replace(manners, drafts=1, drafts_are_thoughts=thoughts)
