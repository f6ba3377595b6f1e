"""``python -m kafkatcl.shell``: the same as ``kafkatclsh``."""

from __future__ import annotations

from kafkatcl.shell import main

if __name__ == "__main__":
    main()
