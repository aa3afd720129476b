"""Gemini as a provider, and the emulator, which is the same API without a key and with placeholders for pictures.

Imports are inside the methods: each process needs only a few of them, and starts in a few milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from chargen.base.capabilities import Capabilities, capabilities

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from chargen.base.findings import Finding
    from chargen.providers.base import Request, ResultLine, SentFile, SentRequest, Verdict, Wanted
    from chargen.providers.gemini.scanner import ResultFile
    from chargen.providers.models import Catalog
    from chargen.providers.protocol import Connection
    from chargen.records.batch import BatchPlan
    from chargen.records.settings import Settings

QUOTA = 8
"""google.rpc.Code RESOURCE_EXHAUSTED: a job that fails with it as a whole never ran."""


class Gemini:
    """The Gemini Batch API, or a server that is like it."""

    request_types = ("application/jsonl", "application/json", "text/plain")

    def __init__(self, facts: Capabilities) -> None:
        self.capabilities = facts

    def connect(self, settings: Settings) -> Connection:
        from chargen.providers.gemini import client

        return client.connect(settings)

    def check_privacy(self, settings: Settings) -> Iterator[Finding]:
        from chargen.providers.gemini import checks

        return checks.check_privacy(settings)

    def check_api(self, settings: Settings, models: Mapping[str, str]) -> Iterator[Finding]:
        from chargen.providers.gemini import checks

        return checks.check_api(settings, models)

    def catalog(self, settings: Settings, today: dt.date | None = None) -> Catalog:
        from chargen.providers.models import load_catalog

        return load_catalog(Path(settings.models_file), today)

    def request_line(self, plan: BatchPlan, request: Request, pictures: Sequence[SentFile]) -> bytes:
        from chargen.providers.gemini import requests

        body = requests.body(plan, request, [requests.file_part(item.uri, item.mime) for item in pictures])
        return orjson.dumps({"key": request.key, "request": body}, option=orjson.OPT_APPEND_NEWLINE)

    def read_request(self, line: Mapping[str, Any]) -> SentRequest:
        from chargen.providers.gemini import requests

        return requests.read(line)

    def results(self, path: Path) -> ResultFile:
        from chargen.providers.gemini.scanner import ResultFile

        return ResultFile(path)

    def judge(self, line: ResultLine | None, wanted: Wanted) -> Verdict:
        from chargen.providers.gemini import outcomes

        return outcomes.judge(line, wanted)

    def judge_job(self, error_code: int, error: str) -> Verdict:
        from chargen.providers.gemini import outcomes
        from chargen.providers.gemini.lines import LineError

        return outcomes.judge_error(LineError(error_code or None, str(error_code), error))

    def is_over_quota(self, error_code: int) -> bool:
        return error_code == QUOTA


GEMINI = Gemini(capabilities("gemini"))
EMULATOR = Gemini(capabilities("emulator"))
