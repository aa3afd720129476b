"""Calls that are answered at once: generateContent, countTokens and the embeddings; and which models take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargen.emulator import answers, embeddings, fields, requests
from chargen.emulator.catalogue import Catalogue, Model
from chargen.emulator.clock import Clock, rfc3339
from chargen.emulator.store import Store
from chargen.emulator.trouble import Trouble
from chargen.emulator.uploaded_files import Files


class Models:
    """The models that are served, and their answers."""

    def __init__(
        self, store: Store, clock: Clock, catalogue: Callable[[], Catalogue], trouble: Trouble, files: Files
    ) -> None:
        self._store = store
        self._clock = clock
        self._catalogue = catalogue
        self._trouble = trouble
        self._files = files

    @property
    def catalogue(self) -> Catalogue:
        """The models that are served at this moment."""
        return self._catalogue()

    def serving(self, model: str, version: str, method: str) -> Model:
        """The model of that name that *method* can be called for; ApiError 404."""
        method_named = self._trouble.plan.api.list_method
        return self.catalogue.serving(model, version, method, today=self.today, list_method=method_named)

    @property
    def today(self) -> str:
        """The emulated day from which models count as shut down; empty if they are answered all the same."""
        return rfc3339(self._clock.now_ns())[:10] if self._trouble.plan.api.shut_down == "refused" else ""

    def reply(self, owner: str, model: str, version: str, raw: Any) -> dict[str, Any]:
        """Answer one generateContent request at once."""
        served = self.serving(model, version, "generateContent")
        requests.check_fields(raw)
        request = requests.read(raw)
        requests.check(request, served)

        def read_file(file_id: str) -> bytes:
            return self._store.blob(self._files.owned(owner, file_id).sha256).read_bytes()

        materials = answers.collect(request, read_file)
        plan = self._trouble.plan.models
        manners = answers.Manners(plan.ignore_image_size, plan.ignore_schema, plan.reroute, plan.signature_bytes)
        return answers.reply(served, request, "", materials, manners)

    def count_tokens(self, model: str, version: str, raw: Any) -> dict[str, Any]:
        """The tokens of a countTokens request, by the same rule as in usageMetadata."""
        served = self.serving(model, version, "countTokens")
        requests.check_fields(raw, "CountTokensRequest")
        body = fields.camel(raw)
        return answers.counted(served, requests.read(body.get("generateContentRequest") or body))

    def embed(self, model: str, version: str, raw: Any, method: str) -> dict[str, Any]:
        """Answer embedContent or batchEmbedContents at once."""
        self.serving(model, version, method)
        several = method == "batchEmbedContents"
        items = (raw.get("requests") or []) if several and isinstance(raw, dict) else [raw]
        for item in items:
            requests.check_fields(item, "EmbedContentRequest")
        vectors = [embeddings.embedding(item) for item in items]
        return {"embeddings": vectors} if several else {"embedding": vectors[0]}
