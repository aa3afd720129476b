"""Whether the account has room for one more job: by the limits of its tier, and the server's last answers."""

from __future__ import annotations

from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.records.batch import BatchPlan
from chargen.records.journal import Entry, Journal, seconds_since
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.steps import account

REMEMBERED_S = 24 * 3600.0
"""How long a job that the server had no room for limits those after it."""


def why_full(settings: Settings, state: State, plan: BatchPlan, remote: Connection) -> str:
    """Return why the batch of *plan* must not be sent now; ``""`` if it may."""
    mine = [
        entry
        for entry in Journal.recent(state).entries.values()
        if entry.batch != plan.batch and account.knows(settings, entry, remote)
    ]
    flying = [entry for entry in mine if entry.in_flight and not entry.ended]
    catalog = provider_of(settings).catalog(settings)
    model, tier = plan.model, settings.limits.tier
    jobs = settings.limits.concurrent_jobs or catalog.limit(tier, "concurrent_jobs")
    if len(flying) >= jobs:
        return f"{len(flying)} jobs are in flight and {jobs} are allowed at once"
    tokens = settings.limits.enqueued_tokens or catalog.enqueued_tokens(tier, catalog.quota(model))
    held = sum(entry.tokens for entry in flying if entry.model == model)
    if held and held + plan.tokens > tokens:
        return f"{held:,} tokens are queued for {model} and {tokens:,} are allowed"
    return _refused_lately(settings, state, [entry for entry in mine if entry.model == model])


def _refused_lately(settings: Settings, state: State, entries: list[Entry]) -> str:
    """Why to wait after the server failed a job of the model for its quota: each such job costs its tasks an attempt.

    As many jobs are sent since then as have ended, so that no more wait there than it had room for; and if none of ours
    is there, because others use the quota up, none before two pauses have passed.
    """
    refused = [entry for entry in entries if _met_quota(settings, state, entry)]
    if not refused:
        return ""
    last = max(refused, key=lambda entry: entry.ended_line)
    since_s = abs(seconds_since(last.ended_time))
    freed = sum(entry.ended_line > last.ended_line for entry in entries)
    sent = sum(entry.created_line > last.ended_line for entry in entries)
    is_any_there = any(entry.in_flight and not entry.ended for entry in entries)
    if freed > sent or since_s > (REMEMBERED_S if is_any_there else 2 * settings.poll.interval_s):
        return ""
    return f"the token queue of {last.model} was full ({last.batch})"


def _met_quota(settings: Settings, state: State, entry: Entry) -> bool:
    if entry.ended != "FAILED":
        return False
    try:
        return provider_of(settings).is_over_quota(state.batch(entry.batch).read_ended().error_code)
    except (OSError, ValueError):
        return False
