"""The rows of a request file: native ones by ``key`` or ``custom_id``, bare requests, OpenAI-shaped ones; and what is
refused.

A file with a row that the parser does not take is refused as a whole when the job is created, with one message that
names each row, its column and the reason (as in UKGovernmentBEIS/inspect_ai issues 3257 and 5100).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from chargen.emulator import fields, relaxed
from chargen.emulator.errors import invalid, unknown_fields
from chargen.emulator.strictness import ApiPlan

_LISTED = 20  # rows named in one refusal
_TOP = frozenset(["key", "custom_id", "metadata", "request"])
_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{}\[\]:,]|[^\s{}\[\]:,]+", re.DOTALL)
NATIVE, CUSTOM, BARE, OPENAI = "native", "custom_id", "bare", "openai"


@dataclass(frozen=True, slots=True)
class Row:
    """One request: by what it is found again, its ``form`` (which the answer takes on), and the request itself."""

    key: str
    form: str
    metadata: Any
    request: Any

    def named(self, key: str) -> dict[str, Any]:
        """What the answer to this row is found by: *key* under the row's own member; nothing for a bare request."""
        if self.form == BARE:
            return {}
        return {"key" if self.form == NATIVE else "custom_id": key}


def read(raw: bytes) -> Row:
    """The row in *raw*. Raises ValueError when it is not a JSON object."""
    line = relaxed.loads(raw)
    if not isinstance(line, dict):
        raise ValueError("the row is not a JSON object")
    metadata = line.get("metadata")
    if "custom_id" in line and "key" not in line:
        name = str(line["custom_id"])
        if "body" in line:
            return Row(name, OPENAI, metadata, line["body"])
        return Row(name, CUSTOM, metadata, line.get("request"))
    if _is_bare(line):
        return Row("", BARE, None, line)
    inner = metadata.get("key") if isinstance(metadata, dict) else None
    return Row(str(line.get("key") or inner or ""), NATIVE, metadata, line.get("request"))


def keys(path: Path) -> list[str]:
    """What each request of a stored input is found by, in order; ``""`` for rows without a name."""
    found = []
    for _, raw in numbered(path):
        try:
            found.append(read(raw).key)
        except ValueError:
            found.append("")
    return found


def numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """The rows of a file with their line numbers; empty lines are left out."""
    with path.open("rb") as source:
        for number, raw in enumerate(source, 1):
            if raw.strip():
                yield number, raw


def check_file(path: Path, message: str, api: ApiPlan) -> None:
    """Raise the ApiError 400 for a file that has rows that do not parse as *message*."""
    found = []
    for number, raw in numbered(path):
        found += [f"Error on line {number}: {words}" for words in _row_problems(raw, message, api)]
        if len(found) >= _LISTED:
            break
    if found:
        raise invalid("\n".join(found[:_LISTED]))


def check_inline(items: list[Any], message: str, api: ApiPlan) -> None:
    """Raise the ApiError 400 for inlined requests, each a *message*, with unknown fields; their spelling is free."""
    found: list[tuple[str, str]] = []
    for number, item in enumerate(items):
        path: fields.Path = ("batch", "input_config", "requests", "requests", number)
        for problem in fields.problems(item, f"Inlined{message}", path=path):
            if problem.found:
                raise invalid(f"Invalid value at '{problem.place}': a JSON object is needed.")
            found.append((problem.place, problem.name))
    if found and api.unknown_fields == "refused":
        raise unknown_fields(found[:_LISTED])


def _row_problems(raw: bytes, message: str, api: ApiPlan) -> Iterator[str]:
    text = raw.decode("utf-8", "replace").strip()
    try:
        line = relaxed.loads(raw)
    except orjson.JSONDecodeError as error:
        yield f"invalid JSON, near column {error.colno}: {error.msg.split(':')[0]}"
        return
    if not isinstance(line, dict):
        yield f"invalid JSON, near column 1: unexpected character: '{text[:1]}'; expected '{{'"
        return
    if "body" in line and "custom_id" in line:
        return
    snake_only = api.rows == "snake_case"
    strict = api.unknown_fields == "refused"
    refused = ["response_schema", "responseSchema"] if api.schema_field == "response_json_schema" else []
    above: fields.Path = ("request",)
    request = line.get("request")
    if _is_bare(line) and not snake_only:
        above, request = (), line
    elif strict:
        for name in line:
            if name not in _TOP:
                yield _at(text, (), fields.Problem((), name))
    if request is None:
        return
    for problem in fields.problems(request, message, snake_only=snake_only, refused=refused):
        if problem.found or strict:
            yield _at(text, above, problem)
    yield from _empty_system_text(request)


def _is_bare(line: dict[str, Any]) -> bool:
    """Whether the row is a request without anything around it, as in a curl example of the batch guide."""
    return "contents" in line and "request" not in line and "key" not in line


def _empty_system_text(request: Any) -> Iterator[str]:
    plain = request if isinstance(request, dict) else {}
    system = plain.get("system_instruction") or plain.get("systemInstruction")
    parts = system.get("parts") if isinstance(system, dict) else None
    for number, part in enumerate([parts] if isinstance(parts, dict) else parts or []):
        if isinstance(part, dict) and not any(part.values()):
            yield (
                f"* GenerateContentRequest.system_instruction.parts[{number}].data: "
                "required oneof field 'data' must have one initialized field"
            )


def _at(text: str, above: fields.Path, problem: fields.Problem) -> str:
    path: fields.Path = (*above, *problem.path)
    if problem.found:
        column = _column(text, path, "")
        return f"invalid JSON, near column {column}: unexpected character: '{problem.found}'; expected '{{'"
    return f"invalid JSON, near column {_column(text, path, problem.name)}: no such field: '{problem.name}'"


def _column(text: str, path: fields.Path, name: str) -> int:
    """The column, from 1, of the member *name* of the object at *path*, or of the value at *path* without a name."""
    stack: list[str | int] = []
    kinds: list[str] = []
    at_value = True
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token in "}]":
            kinds.pop()
            stack.pop()
        elif token == ",":
            if kinds[-1] == "[":
                stack[-1] = int(stack[-1]) + 1
            at_value = kinds[-1] == "["
        elif token == ":":
            at_value = True
        elif not at_value:
            stack[-1] = token[1:-1] if token[0] in "\"'" else token
            if name and tuple(stack) == (*path, name):
                return found.start() + 1
        else:
            if not name and tuple(stack) == path:
                return found.start() + 1
            if token in "{[":
                kinds.append(token)
                stack.append(0 if token == "[" else "")
                at_value = token == "["
    return 1
