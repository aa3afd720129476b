"""What Snakemake finds under the profile's ``logger: chargen``; the handler itself is `chargen.snakemake.log_handler`.

Snakemake imports this while it makes its list of options, before it reads their values.
"""

import sys

from chargen.records.typed import forgiving
from chargen.snakemake import command_line
from chargen.snakemake.log_handler import LogHandler, LogHandlerSettings

__all__ = ["LogHandler", "LogHandlerSettings"]

if (cli := sys.modules.get("snakemake.cli")) is not None:
    cli.parse_config = forgiving(cli.parse_config)
    cli.args_to_api = command_line.check_before(cli.args_to_api)
    cli.print_exception = command_line.in_one_line(cli.print_exception)
