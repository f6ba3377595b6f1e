"""The program ``kafkatclsh``, where it may not even start.

Linux distributions have tkinter in a package of its own.
"""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

from kafkatcl.postponed import postpone


def kafkatclsh() -> NoReturn:
    """Run the shell, or say in a line what it lacks."""
    # Nothing of what is imported is garbage: main has it looked for from then on.
    gc.disable()
    # The package confluent-kafka, where it is needed at all, imports asyncio, which
    # takes long; prompt_toolkit uses it.
    postpone("asyncio")
    try:
        from kafkatcl.shell import main  # noqa: PLC0415
    except ImportError as error:
        if error.name != "tkinter":
            raise
        sys.exit(f"kafkatclsh: {error}")
    main()


if __name__ == "__main__":
    kafkatclsh()
