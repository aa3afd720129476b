"""What Snakemake finds under the profile's ``logger: chargen``; the handler itself is `chargen.calm`.

Snakemake imports this while it makes its list of options, before it reads their values.
"""

import sys

from chargen.calm import LogHandler, LogHandlerSettings
from chargen.typed import forgiving

__all__ = ["LogHandler", "LogHandlerSettings"]

if (cli := sys.modules.get("snakemake.cli")) is not None:
    cli.parse_config = forgiving(cli.parse_config)
