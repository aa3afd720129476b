"""``python -m chargen.emulator``: the emulator alone, with the options of ``chargen emulator``."""

from __future__ import annotations

import argparse
import sys

from chargen.base import output
from chargen.emulator import cli


def main() -> int:
    """Parse the command line and serve until told to stop; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chargen.emulator", description=cli.DESCRIPTION)
    cli.add_arguments(parser)
    with output.guarded():
        return cli.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
