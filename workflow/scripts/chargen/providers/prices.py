"""Prices for steps that collect results: an error in the models file must not stop them."""

from __future__ import annotations

from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.providers.models import Catalog
from chargen.providers.registry import provider_of
from chargen.records.settings import Settings


def known_prices(settings: Settings) -> Catalog | None:
    """Return the prices; None, said, where they cannot be read."""
    try:
        return provider_of(settings).catalog(settings)
    except ChargenError as error:
        events.log("problem", f"{error}: the cost is estimated", level="warning")
        return None
