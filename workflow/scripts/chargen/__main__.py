"""``python -m chargen``."""

import os
import sys

from chargen.cli import INTERRUPTED, main

status = main()
if status == INTERRUPTED:
    # Everything that counts is on the disk; threads that still wait for the network would hold the terminal.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
raise SystemExit(status)
