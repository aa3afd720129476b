"""What Snakemake finds under the profile's ``logger: chargen``; the handler itself is `chargen.calm`."""

from chargen.calm import LogHandler, LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]
