"""Lists in pages: a token names the last item that was shown, so that the next page goes on behind it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from chargen.emulator.calls import Call
from chargen.emulator.errors import invalid


def page(
    call: Call, items: list[Any], moment: Callable[[Any], int], default: int, most: int
) -> tuple[list[Any], dict[str, str]]:
    """One page of *items* and what to add to the answer for the next one."""
    asked = call.request.query_params.get("pageSize") or call.request.query_params.get("page_size") or ""
    size = min(int(asked), most) if asked.isdigit() and int(asked) > 0 else default
    token = call.request.query_params.get("pageToken") or call.request.query_params.get("page_token") or ""
    ids = [f"{moment(item)}|{item.id}" for item in items]
    start = 0
    if token:
        last = _untoken(token)
        newer = [at for at, name in enumerate(ids) if name == last]
        start = newer[0] + 1 if newer else _after(last, ids)
    found = items[start : start + size]
    more = start + size < len(items)
    return found, {"nextPageToken": _token(ids[start + size - 1])} if more else {}


def _after(last: str, ids: list[str]) -> int:
    """Where to go on when the last item shown is gone: at the first older one."""
    moment = int(last.split("|")[0])
    return next((at for at, name in enumerate(ids) if int(name.split("|")[0]) < moment), len(ids))


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _untoken(token: str) -> str:
    try:
        name = base64.urlsafe_b64decode(token).decode()
        int(name.split("|")[0])
    except ValueError:
        raise invalid("Invalid page token.") from None
    return name
