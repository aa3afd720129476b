"""Orders: explicit requests to make pictures again. Each is fulfilled by the next run, exactly once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chargen.base import durable, events, failpoints
from chargen.library.folders import forms
from chargen.records.journal import now
from chargen.records.ledgers import Order, highest_number, read_ledger
from chargen.records.state import State


def read_orders(state: State) -> dict[tuple[str, int], int]:
    """Return the number of the last order in force for each ``(target, variation)``, in every form of its letters."""
    last: dict[tuple[str, int], int] = {}
    for order in read_ledger(state.orders, Order):
        for target, variation in order.items:
            for form in forms(target):
                last[form, variation] = order.number if order.stands_for is None else order.stands_for
    return last


def place_order(state: State, items: Iterable[tuple[str, int]], **said: Any) -> int:
    """Record an order for *items* durably and return its number; *said* is kept beside it."""
    with state.lock("orders"):
        number = highest_number(state.orders) + 1
        line = {"time": now(), "number": number, "items": [list(item) for item in items], **said}
        durable.append_line(state.orders, line)
        failpoints.reached("ordered")
    return number


def withdraw(state: State, items: Iterable[tuple[str, int]], stands_for: int) -> None:
    """Let the orders for *items* since the order *stands_for* count no more, durably: what they ask for has come."""
    number = place_order(state, items, stands_for=stands_for)
    words = f"order {number}: replacements for lost pictures are not sent, because the pictures arrived"
    events.log("order-withdrawn", words, order=number)
