"""`make doctor` and `make verify`: check this machine and the running system, and explain how to fix problems."""

import sys

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    sys.exit(f"{sys.executable} is older than Python 3.11. Install a newer one, then: make install PYTHON=/path/to/it")
