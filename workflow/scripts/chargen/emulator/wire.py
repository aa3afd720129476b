"""Connections that can be cut: before an answer, in the middle of one, or in the middle of an upload."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_transports: dict[tuple[str, int], asyncio.Transport] = {}


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol that remembers its transport by the client's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take note of the transport."""
        super().connection_made(transport)
        if self.client:
            _transports[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport."""
        if self.client:
            _transports.pop(self.client, None)
        super().connection_lost(exc)


async def cut(scope: Scope, *, flush: bool = False) -> None:
    """End the connection of *scope* without a complete answer; *flush* sends first what was written
    already.
    """
    transport = _transports.get(tuple(scope.get("client") or ()))
    if transport is None:
        return
    if flush:
        transport.close()
    else:
        transport.abort()
    while tuple(scope["client"]) in _transports:
        await asyncio.sleep(0.001)


class CutConnection:
    """An ASGI answer that is none: the client sees the connection end."""

    status_code = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut."""
        await cut(scope)
