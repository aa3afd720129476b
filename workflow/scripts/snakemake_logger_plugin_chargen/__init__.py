"""What Snakemake finds under the profile's ``logger: chargen``; the handler itself is `chargen.snakemake.log_handler`.

Snakemake imports this while it makes its list of options, before it reads their values.
"""

import sys

from chargen.records.typed import forgiving
from chargen.snakemake.log_handler import LogHandler, LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]

if (cli := sys.modules.get("snakemake.cli")) is not None:
    cli.parse_config = forgiving(cli.parse_config)
