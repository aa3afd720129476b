"""Checks that ask the API: whether it answers, accepts the key, has the models, and agrees on the time."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from chargen.base.errors import ChargenError
from chargen.base.findings import Finding
from chargen.base.frozen import frozen
from chargen.base.output import redacted
from chargen.base.reading import Document, WrongShape
from chargen.base.timestamps import span
from chargen.providers.gemini.client import API_VERSION, server_folder
from chargen.providers.gemini.served_models import ServedModel
from chargen.providers.models import load_catalog
from chargen.records.settings import Settings, api_key

SKEW_WARNS_S, SKEW_HURTS_S = 60.0, 600.0
QUESTION_TIMEOUT_S = 20.0
LONGEST_PROMPT_TOKENS = 1500
"""Of the longest prompt that config/prompts.yaml allows."""


@frozen
class Answer:
    """What the API said to one question; ``status`` is 0 if it could not be reached, ``body`` what it sent."""

    status: int
    message: str = ""
    date: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@frozen(kw_only=True)
class FiledLimits(Document):
    """The limits of a model as config/models.yaml has them, and what is needed of them, in tokens."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    references: int = 1
    sizes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    input_image_tokens: int

    @property
    def needed_input(self) -> int:
        """Of the largest request."""
        return LONGEST_PROMPT_TOKENS + self.references * self.input_image_tokens

    @property
    def needed_output(self) -> int:
        """Of the largest picture."""
        return max((int(of_size.get("tokens", 0)) for of_size in self.sizes.values()), default=0)


@frozen(kw_only=True)
class ErrorText(Document):
    """The message of an error's body."""

    message: str = ""


@frozen(kw_only=True)
class ErrorBody(Document):
    """The body of an answer that refuses."""

    error: ErrorText = ErrorText()


Ask = Callable[[str], Answer]
"""Asks the API for a path below its version."""


def check_privacy(settings: Settings) -> Iterator[Finding]:
    """Yield what is kept where, and for how long."""
    if settings.capabilities.is_embedded:
        yield Finding("ok", "privacy", "nothing leaves this machine")
        return
    if settings.store_requests:
        text = "set store_requests to false, or turn the logs off in AI Studio"
        says = "Google may keep requests and answers for up to 55 days, because store_requests is true"
        yield Finding("warning", "privacy", says, text)
    else:
        yield Finding("ok", "privacy", "each request asks Google not to store it (store_requests is false)")
    uploads = "until their batch is applied, 48 hours at most" if settings.cleanup.after_apply else "for 48 hours"
    answers = f"answers stay in state/ for {settings.cleanup.keep_responses_d:g} days after that"
    yield Finding("ok", "privacy", f"uploads stay on Google's server {uploads}; {answers}")


def check_api(settings: Settings, models: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether the API answers, accepts the key, knows the *models*, and agrees on the time."""
    url = settings.base_url
    if settings.capabilities.is_embedded and not url:
        from chargen.emulator import launch

        url = launch.running(server_folder(settings))
        if not url:
            yield Finding("ok", "api", "the embedded emulator starts when it is needed")
            return
    elif not settings.capabilities.is_embedded and url != settings.capabilities.default_base_url:
        variable = settings.capabilities.base_url_variable
        source = variable if os.environ.get(variable) == url else "base_url"
        yield Finding("warning", "api", f"{url}, not Google's own address", f"set by {source}")
    try:
        ask = asker(url, api_key(settings.capabilities, Path(settings.home)))
    except ChargenError:
        yield Finding("warning", "api", f"{url} was not checked: there is no usable key")
        return
    yield from questions(settings, models, url, ask)


def questions(settings: Settings, models: Mapping[str, str], url: str, ask: Ask) -> Iterator[Finding]:
    """Yield what *ask* brings back about the key, the *models* and the clock."""
    answers = {name: ask(f"models/{name}") for name in models}
    first = next(iter(answers.values()))
    if not first.status:
        text = "check the network, a proxy (HTTPS_PROXY) and base_url"
        yield Finding("error", "api", f"{url} does not answer: {first.message}", text)
        return
    refused = next((answer for answer in answers.values() if answer.status in (400, 401, 403)), None)
    if refused:
        text = "make a new key at https://aistudio.google.com/apikey, or allow this one to use the Gemini API"
        yield Finding("error", "api", f"{url} refuses the key: {refused.status} {refused.message}", text)
    elif first.status >= 500 or first.status == 429:
        yield Finding("warning", "api", f"{url} has a problem: {first.status} {first.message}", "try again later")
    else:
        yield Finding("ok", "api", f"{url} answers and accepts the key")
        for name, answer in answers.items():
            if answer.status == 404:
                text = "`snakemake prices` lists models; set models.<use>.model in the configuration"
                yield Finding("error", "models", f"the API has no model {name} ({models[name]})", text)
            elif answer.status == 200:
                yield from as_the_api_says(settings, name, ServedModel.from_json(answer.body))
    yield from clock(first.date, dt.datetime.now(dt.UTC))


def as_the_api_says(settings: Settings, name: str, served: ServedModel) -> Iterator[Finding]:
    """Yield how the API describes the model *name*, and where config/models.yaml says something else."""
    if not served.takes_batches:
        text = "set models.<use>.model to another; `snakemake prices` lists models"
        yield Finding("error", "models", f"{name}: the API does not accept batches for it", text)
    try:
        filed = FiledLimits.from_json(load_catalog(Path(settings.models_file)).entry(name))
    except ChargenError:  # `models` says why
        return
    limits = []
    for limit, ours, needed, direction, setting in (
        (served.input_tokens, filed.input_tokens, filed.needed_input, "in", "input_tokens"),
        (served.output_tokens, filed.output_tokens, filed.needed_output, "out", "output_tokens"),
    ):
        if limit is None:
            continue
        limits.append(f"{limit:,} tokens {direction}")
        if ours is not None and ours != limit:
            says = f"{name}: the API takes {limit:,} tokens {direction}, {settings.models_file} says {ours:,}"
            yield Finding("warning", "models", says, f"set its `{setting}` to {limit}, and `checked` to today")
        elif limit < needed:
            says = f"{name}: the API takes {limit:,} tokens {direction}, chargen may need {needed:,}"
            yield Finding("warning", "models", says, f"lower `references` or `sizes` of it in {settings.models_file}")
    if limits:
        yield Finding("ok", "models", f"{name}: available, {', '.join(limits)}")


def clock(date: str, now: dt.datetime) -> Iterator[Finding]:
    """Yield how far this machine's clock (*now*) is from the server's *date*, an HTTP header."""
    from email.utils import parsedate_to_datetime

    try:
        skew = (now - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return
    if abs(skew) < SKEW_WARNS_S:
        yield Finding("ok", "clock", "agrees with the server's")
        return
    says = f"{span(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the server's"
    text = "set it by NTP: expiry of uploads, deadlines and the budget of the last 24 hours go by it"
    yield Finding("error" if abs(skew) >= SKEW_HURTS_S else "warning", "clock", says, text)


def asker(url: str, secret: str) -> Ask:
    """Return what asks the API at *url* with the key *secret*."""

    def ask(path: str) -> Answer:
        import httpx2

        from chargen.base import http

        try:
            with http.client(url, secret, QUESTION_TIMEOUT_S, {http.KEY_HEADER: secret}) as client:
                answer = client.get(f"{url}/{API_VERSION}/{path}")
        except (httpx2.HTTPError, ChargenError) as error:
            return Answer(0, http.in_words(error))
        try:
            body = answer.json()
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {}
        message = _message(body) or answer.reason_phrase
        return Answer(answer.status_code, redacted(message)[:300], answer.headers.get("date", ""), body)

    return ask


def _message(body: Mapping[str, Any]) -> str:
    try:
        return ErrorBody.from_json(body).error.message
    except WrongShape:
        return ""
