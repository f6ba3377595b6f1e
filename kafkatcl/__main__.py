"""``python -m kafkatcl``: the ``kafkatcl`` command line."""

from __future__ import annotations

import sys

from kafkatcl.cli import main

if __name__ == "__main__":
    sys.exit(main())
