"""What the API says of a model (models.get)."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document, key

BATCHES = "batchGenerateContent"


@frozen(kw_only=True)
class ServedModel(Document):
    """A model as the API describes it; the fields hold whatever it sent, the properties what can be used of it."""

    methods: object = key("supportedGenerationMethods", None)
    input_limit: object = key("inputTokenLimit", None)
    output_limit: object = key("outputTokenLimit", None)

    @property
    def takes_batches(self) -> bool:
        """Whether it can be asked in batches, as far as the API says."""
        return not isinstance(self.methods, list) or BATCHES in self.methods

    @property
    def input_tokens(self) -> int | None:
        """The most tokens of a request, None if the API does not say."""
        return self.input_limit if isinstance(self.input_limit, int) else None

    @property
    def output_tokens(self) -> int | None:
        """The most tokens of an answer, None if the API does not say."""
        return self.output_limit if isinstance(self.output_limit, int) else None
