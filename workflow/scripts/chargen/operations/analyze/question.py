"""The prompt of an analysis: ``config/analysis.yaml``, checked and compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from chargen.base import schemas as schema
from chargen.base.errors import CannotPlan, ChargenError
from chargen.base.reading import build
from chargen.library.model import Entity

ERRORS_SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The prompt. ``output_tokens`` is an estimate of the answer's length."""

    version: str
    output_tokens: int
    path: Path
    _prompt: Any
    _correction: Any

    def ask(self, entity: Entity, traits: Sequence[str], file: str, errors: Sequence[str] = ()) -> str:
        """Return the question about the picture *file* of *entity*; with *errors*, as a second try."""
        given = {
            "kind": entity.kind,
            "name": entity.name,
            "description": " ".join(entity.description.split()),
            "traits": list(traits),
            "file": file,
        }
        prompt = self._rendered(self._prompt, "prompt", given)
        return self.correct(prompt, errors) if errors else prompt

    def correct(self, prompt: str, errors: Sequence[str]) -> str:
        """Return *prompt* with what did not fit in the answer to it."""
        said = self._rendered(self._correction, "correction", {"errors": list(errors[:ERRORS_SHOWN])})
        return f"{prompt}\n\n{said}"

    def _rendered(self, template: Any, key: str, given: dict[str, Any]) -> str:
        try:
            text = template.render(given)
        except Exception as error:  # a template is the user's program: it may fail in any way
            raise CannotPlan(f"{self.path}: {key}: {error or type(error).__name__}") from error
        return "\n".join(line for line in map(str.rstrip, text.splitlines()) if line)


def load_question(path: Path) -> Question:
    """Read *path*; raise ChargenError with the file and key of an error."""
    try:
        return _question(path, path.read_bytes())
    except OSError as error:
        raise CannotPlan(f"{path}: cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=4)
def _question(path: Path, content: bytes) -> Question:
    import yaml
    from jinja2 import StrictUndefined, TemplateSyntaxError
    from jinja2.sandbox import SandboxedEnvironment

    try:
        data = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CannotPlan(f"{path}: {error}") from None
    try:
        schema.check("question", data, str(path))
    except ChargenError as error:
        raise CannotPlan(str(error)) from None
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    written = build(_Written, data)

    def compiled(key: str, template: str) -> Any:
        try:
            return environment.from_string(template)
        except TemplateSyntaxError as error:
            raise CannotPlan(f"{path}: {key}, line {error.lineno} of the template: {error.message}") from error

    prompt, correction = compiled("prompt", written.prompt), compiled("correction", written.correction)
    return Question(written.version, written.output_tokens, path, prompt, correction)


@dataclass(frozen=True, slots=True)
class _Written:
    """The file as it is read."""

    version: str
    output_tokens: int
    prompt: str
    correction: str
