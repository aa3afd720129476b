"""What a generateContent request says, in either spelling, and what the API finds wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chargen.emulator import fields
from chargen.emulator.catalogue import Model
from chargen.emulator.errors import invalid, unknown_fields

RATIOS = ["1:1", "1:4", "1:8", "2:3", "3:2", "3:4", "4:1", "4:3", "4:5", "5:4", "8:1", "9:16", "16:9", "21:9"]
SIZES = ["1K", "2K", "4K", "512", "512P", "512PX"]
_FILE_ID = re.compile(r"(?:^|/)files/([^/:?]+)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture or document handed in: uploaded (``file_id``), inline (``data``, base64) or at a ``uri``."""

    mime_type: str
    file_id: str = ""
    data: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request in camelCase (``body``) with what matters for an answer taken out."""

    body: Mapping[str, Any]
    prompt: str
    references: tuple[Reference, ...]
    aspect_ratio: str
    image_size: str
    modalities: tuple[str, ...]
    schema: Mapping[str, Any] | None
    json_wanted: bool

    @property
    def generation(self) -> Mapping[str, Any]:
        """The generation config."""
        return self.body.get("generationConfig") or {}


def file_id_of(uri: str) -> str:
    """The id in ``files/abc`` or in any URL that ends in ``/files/abc``; empty if there is none."""
    found = _FILE_ID.search(uri)
    return found.group(1) if found else ""


def check_fields(raw: Any, message: str = "GenerateContentRequest") -> None:
    """Raise the ApiError 400 that names every field of *raw*, a body or a part of one, that *message* does not have."""
    unknown = []
    for problem in fields.problems(raw, message):
        if problem.found:
            raise invalid(f"Invalid value at '{problem.place or 'request'}': a JSON object is needed.")
        unknown.append((problem.place, problem.name))
    if unknown:
        raise unknown_fields(unknown)


def read(raw: Any) -> Request:
    """Take a request apart; fields that do not exist are passed over. Raises ApiError 400 for what is no request."""
    if not isinstance(raw, dict):
        raise invalid("Invalid JSON payload received. The request must be a JSON object.")
    body = fields.camel(raw)
    generation = body.get("generationConfig") or {}
    image = generation.get("imageConfig") or {}
    texts, references = _parts(body)
    schema = (
        generation.get("responseSchema")
        or generation.get("responseJsonSchema")
        or generation.get("_responseJsonSchema")
    )
    return Request(
        body=body,
        prompt="\n".join(texts),
        references=tuple(references),
        aspect_ratio=str(image.get("aspectRatio") or ""),
        image_size=str(image.get("imageSize") or ""),
        modalities=tuple(str(item).upper() for item in generation.get("responseModalities") or ()),
        schema=schema if isinstance(schema, dict) else None,
        json_wanted=generation.get("responseMimeType") == "application/json",
    )


def check(request: Request, model: Model) -> None:
    """Raise the ApiError 400 that the API answers for settings the model does not take."""
    contents = request.body.get("contents")
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    if not request.prompt and not request.references:
        raise invalid("Request has empty input.")
    if int(request.generation.get("candidateCount") or 1) > 1 and model.makes_images:
        raise invalid("Multiple candidates is not enabled for this model")
    if model.makes_images:
        _check_image_settings(request, model)


def _check_image_settings(request: Request, model: Model) -> None:
    ratio, size = request.aspect_ratio, request.image_size
    if ratio and ratio not in RATIOS and ratio not in model.ratios:
        *most, last = (f"'{name}'" for name in RATIOS)
        raise invalid(
            "* GenerateContentRequest.generation_config.image_config.aspect_ratio: "
            f"aspect_ratio must be one of {', '.join(most)}, or {last}."
        )
    if ratio and ratio not in model.ratios:
        raise invalid(f"Aspect ratio {ratio} is not supported for this model")
    if size and size not in SIZES and size not in model.sizes:
        raise invalid(f"Unsupported image_size '{size}'. Supported values are: {', '.join(SIZES)}.")
    if size and model.sizes and plain_size(size) not in model.sizes:
        raise invalid(f"Image size {size} is not supported for this model")
    if request.generation.get("responseMimeType") not in (None, "", "text/plain"):
        raise invalid("JSON mode is not enabled for this model")
    if request.schema is not None:
        raise invalid("JSON mode is not enabled for this model")


def plain_size(size: str) -> str:
    """``512P`` and ``512PX`` are other names of ``512``."""
    return "512" if size in ("512P", "512PX") else size


def _parts(body: Mapping[str, Any]) -> tuple[list[str], list[Reference]]:
    contents = body.get("contents") or []
    if isinstance(contents, dict):
        contents = [contents]
    if not isinstance(contents, list):
        raise invalid("Invalid value at 'contents': a list is needed.")
    texts: list[str] = []
    references: list[Reference] = []
    for content in contents:
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in [parts] if isinstance(parts, dict) else parts or []:
            if not isinstance(part, dict):
                raise invalid("Invalid value at 'contents.parts': a JSON object is needed.")
            if part.get("text"):
                texts.append(str(part["text"]))
            if file_data := part.get("fileData"):
                uri = str(file_data.get("fileUri") or "")
                references.append(Reference(str(file_data.get("mimeType") or ""), file_id_of(uri), uri=uri))
            if blob := part.get("inlineData"):
                references.append(Reference(str(blob.get("mimeType") or ""), data=str(blob.get("data") or "")))
    return texts, references
