"""``python -m kafkatcl.sidecar``: what ``tcl/sidecar.tcl`` starts.

The two talk over a pipe.

It also runs as a file, under any Python 3, so that the script is told what is missing.
"""

import gc
import os
import struct
import sys

# Of protocol.py, which may not be importable.
_HEADER, _REFUSED = "<ii", 3


def main() -> None:
    """Serve the interpreter at the other end of stdin and stdout until it ends.

    Where something that the sidecar needs is missing, the interpreter is sent a REFUSED
    frame with the reason, and the process ends with status 1.
    """
    if not __package__:  # run as a file: the package is the one this file belongs to
        sys.path[0] = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    if sys.flags.ignore_environment:
        # The sidecar is started with -E, so that PYTHONHOME and PYTHONPATH, which may
        # be meant for another Python, replace no module of this one.  Behind all else,
        # PYTHONPATH may lead to confluent-kafka.
        # https://docs.python.org/3/using/cmdline.html#cmdoption-E
        sys.path.extend(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    try:
        if sys.version_info < (3, 9):  # noqa: UP036
            raise ImportError("it is Python " + sys.version.split()[0] + ", and 3.9 or newer is needed")
        from kafkatcl.postponed import postpone  # noqa: PLC0415

        gc.disable()  # nothing of what is imported is garbage; ``serve`` has it looked for
        postpone("asyncio")  # the package confluent-kafka imports it; it takes memory, and time
        from kafkatcl.sidecar.server import serve  # noqa: PLC0415
    except ImportError as error:
        _refuse(str(error))
        sys.exit(1)
    serve()


def _refuse(reason: str) -> None:
    text = (sys.executable + ": " + reason).encode("utf-8", "replace")
    os.write(1, struct.pack(_HEADER, len(text), _REFUSED) + text)


if __name__ == "__main__":
    main()
