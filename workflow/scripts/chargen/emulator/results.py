"""The result lines of a job: what becomes of each request line, written to disk line by line."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from chargen.emulator import answers, embeddings, faults, openai, requests, rows
from chargen.emulator.catalogue import Catalogue, Model
from chargen.emulator.clock import NANO
from chargen.emulator.errors import RPC_MESSAGES, ApiError, invalid, no_such_file
from chargen.emulator.jobs import EMBED, Job
from chargen.emulator.refusals import REFUSALS, refusal
from chargen.emulator.wrong_bodies import CONTROL_CHARACTERS

_STATUS_WORDS = {1: "CANCELLED", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 8: "RESOURCE_EXHAUSTED"}
_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="draw")
_AHEAD = 6
_KEPT_REFERENCES = 16
_BROKEN = {"truncated_image": "truncated", "not_an_image": "not_an_image", "not_base64": "not_base64"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one request line: an ``error``, or an answer to ``request``; ``give`` bends either."""

    row: rows.Row
    request: requests.Request | None
    materials: tuple[answers.Material, ...]
    error: dict[str, Any] | None
    fault: faults.LineFault | None

    @property
    def failed(self) -> bool:
        """Whether batchStats counts the line as failed (refusals are not: they are answers)."""
        return self.error is not None

    @property
    def key(self) -> str:
        """What the request is found by."""
        return self.row.key

    @property
    def came(self) -> str:
        """What the line brings: ``answer`` (sound), ``error``, a refusal's name, or how it is broken (BROKEN_LINES)."""
        if self.failed:
            return "error"
        return self.fault.give if self.fault and self.fault.give not in faults.LINES_WITH_PICTURE else "answer"


class Lines:
    """Reads a job's request lines and answers them. Holds no database: safe in any thread."""

    def __init__(self, job: Job, catalogue: Catalogue, input_path: Path, blob: Callable[[str], Path]) -> None:
        self._job = job
        self._plan = job.plan
        self._model: Model = catalogue.models[job.model]
        self._input = input_path
        self._blob = blob
        self._kept: dict[str, bytes] = {}

    def verdicts(self, *, load: bool = True) -> Iterator[Verdict]:
        """One verdict per request line, in order; without *load* none has its materials."""
        with self._input.open("rb") as source:
            number = 0
            for raw in source:
                if raw.strip():
                    number += 1
                    yield self._verdict(number, raw, load)

    def rendered(self) -> Iterator[bytes]:
        """The result lines, answered by a few threads, in order or shuffled; never more than a few in
        memory.
        """
        verdicts: Iterator[Verdict] = self.verdicts()
        if self._plan.results.shuffle:
            shuffled = list(verdicts)
            random.Random(self._plan.results.shuffle).shuffle(shuffled)
            verdicts = iter(shuffled)
        waiting: deque[Future[bytes]] = deque()
        last = b""
        for verdict in verdicts:
            waiting.append(_POOL.submit(self._line, verdict))
            if len(waiting) >= _AHEAD:
                yield last
                last = waiting.popleft().result()
        while waiting:
            yield last
            last = waiting.popleft().result()
        cut = self._plan.results.cut_last_line
        yield last[:-cut] if cut else last

    def _verdict(self, number: int, raw: bytes, load: bool) -> Verdict:
        row = rows.Row("", rows.NATIVE, None, None)
        fault = None
        try:
            row = rows.read(raw)
            fault = self._plan.line_fault(self._job.display_name, number, row.key)
            if 0 <= self._job.done_lines < number:
                return Verdict(row, None, (), {"code": 1}, None)
            if fault and fault.give in faults.LINE_ERRORS:
                return Verdict(row, None, (), _given_error(fault), fault)
            if self._job.kind == EMBED:
                embeddings.embedding(row.request)
                return Verdict(row, None, (), None, fault)
            request = requests.read(openai.request(row.request) if row.form == rows.OPENAI else row.request)
            requests.check(request, self._model)
            if self._plan.api.schema_field == "response_schema" and "responseSchema" not in request.generation:
                request = dataclasses.replace(request, schema=None)
            materials: tuple[answers.Material, ...] = ()
            if load:
                materials = tuple(answers.collect(request, self._read_file))
            else:
                answers.inspect(request, self._find_file)
            return Verdict(row, request, materials, None, fault)
        except ApiError as error:
            return Verdict(row, None, (), error.line(), fault)
        except ValueError:
            problem = invalid(f"Invalid JSON payload received. Line {number} is not a JSON object.")
            return Verdict(row, None, (), problem.line(), fault)

    def _find_file(self, file_id: str) -> Path:
        sha256 = self._job.refs.get(file_id)
        if not sha256:
            raise no_such_file(file_id)
        return self._blob(sha256)

    def _read_file(self, file_id: str) -> bytes:
        path = self._find_file(file_id)
        if path.name not in self._kept:
            if len(self._kept) >= _KEPT_REFERENCES:
                self._kept.clear()
            self._kept[path.name] = path.read_bytes()
        return self._kept[path.name]

    def _line(self, verdict: Verdict) -> bytes:
        fault = verdict.fault
        if fault and fault.give == "missing":
            return b""
        body = self._body(verdict)
        key = verdict.key
        if fault and fault.give == "unknown_key":
            key = f"unknown/{key}"
        named: dict[str, Any] = {"metadata": verdict.row.metadata} if self._job.inline else verdict.row.named(key)
        if self._plan.results.inlined and not self._job.inline:
            named = {"metadata": {"key": key}}
        if (fault and fault.give == "no_key") or (self._job.inline and verdict.row.metadata is None):
            named = {}
        key_first = random.Random(verdict.key).random() < 0.5
        text = orjson.dumps(named | body if key_first else body | named) + b"\n"
        return text * 2 if fault and fault.give == "repeated" else text

    def _body(self, verdict: Verdict) -> dict[str, Any]:
        in_kind = verdict.row.form == rows.OPENAI
        if verdict.error is not None:
            return {"response": openai.failure(verdict.error)} if in_kind else {"error": verdict.error}
        if self._job.kind == EMBED:
            raw = verdict.row.request
            counted = str(embeddings.tokens(raw))
            return {"response": {"tokenCount": counted, "embedding": embeddings.embedding(raw)}}
        response = self._response(verdict)
        return {"response": openai.response(response, self._job.created_ns // NANO) if in_kind else response}

    def _response(self, verdict: Verdict) -> dict[str, Any]:
        assert verdict.request is not None
        give = verdict.fault.give if verdict.fault else ""
        if give in REFUSALS or give == "control_characters":
            body = refusal(
                "IMAGE_OTHER" if give == "control_characters" else give, answers.prompt_tokens(verdict.request)
            )
            if give == "control_characters":
                body["candidates"][0]["finishMessage"] += CONTROL_CHARACTERS
            seed = f"{self._job.id}|{verdict.key}"
            return body | {"modelVersion": self._job.model, "responseId": answers.response_id(seed)}
        models = self._plan.models
        broken = {"truncated_image": "truncated"}.get(give, give if give in ("not_an_image", "not_base64") else "")
        manners = answers.Manners(
            ignore_image_size=models.ignore_image_size,
            ignore_schema=models.ignore_schema,
            reroute=models.reroute,
            signature_bytes=models.signature_bytes,
            drafts=1 if give.startswith("two_images") else 0,
            drafts_are_thoughts=give in ("two_images_thought", "only_thought"),
            all_are_thoughts=give == "only_thought",
            broken=broken,
        )
        return answers.reply(self._model, verdict.request, verdict.key, verdict.materials, manners)


def _given_error(fault: faults.LineFault) -> dict[str, Any]:
    message = fault.message or RPC_MESSAGES.get(fault.code, f"Scripted error {fault.code}.")
    word = _STATUS_WORDS.get(fault.code, "INTERNAL")
    if fault.give == "error_code_only":
        return {"code": fault.code}
    if fault.give == "error_status_only":
        return {"status": word, "message": message}
    if fault.give == "error_code_text":
        return {"code": word, "message": message}
    return {"code": fault.code, "message": message} if message else {"code": fault.code}


class Rendering:
    """A result file in the making: grows at ``part``, is renamed to ``path`` when complete."""

    def __init__(self, lines: Lines, path: Path) -> None:
        self.path = path
        self.part = path.with_suffix(".part")
        self.done = threading.Event()
        self.failure = ""
        self._unwanted = threading.Event()
        self.part.write_bytes(b"")
        self._lines = lines
        threading.Thread(target=self._run, name=f"render-{path.stem[:8]}", daemon=True).start()

    def open(self) -> BinaryIO:
        """The lines so far, and those to come, whether or not the file has its final name yet."""
        try:
            return self.part.open("rb")
        except FileNotFoundError:
            return self.path.open("rb")

    def give_up(self) -> None:
        """Stop drawing, wait for that, and leave nothing behind."""
        self._unwanted.set()
        self.done.wait()
        self.part.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        try:
            with self.part.open("wb", buffering=0) as target:
                for line in self._lines.rendered():
                    if self._unwanted.is_set():
                        self.failure = "the batch was deleted"
                        return
                    target.write(line)
            self.part.replace(self.path)
        except Exception as error:  # the download says so; the server lives on
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self.done.set()
