"""``PYTHONPATH=tests python -m fuzz``: run the fuzzer by hand."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fix_process import Server
from fix_tcl import KAFKATCLSH, TCLSH

from fuzz.campaign import campaign
from fuzz.generator import calls

SHELLS = {"kafkatclsh": KAFKATCLSH, "tclsh": TCLSH}


def main() -> int:
    """Run, and say how it went; 1 for a failure, whose script is printed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--shell", choices=SHELLS, default="kafkatclsh")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--list", action="store_true", help="print the calls instead of making them")
    parser.add_argument(
        "--brief", action="store_true", help="leave the driver out of the script of a failure"
    )
    options = parser.parse_args()
    if options.list:
        print("\n".join(calls(options.seed, options.calls)))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="fuzz-broker-"))
    file = folder / "bootstrap"
    server = Server([sys.executable, "-m", "kafkatcl", "broker", "--bootstrap-file", str(file)], folder)
    try:
        server.wait_until(file.exists, 30)
        begin = time.monotonic()
        found = campaign(
            SHELLS[options.shell], file.read_text().strip().split(","), options.seed, options.calls
        )
        if found and options.brief:
            found = found.split("# driver.tcl", 1)[0] + found[found.rindex("::fuzz::Replay") :]
        print(found or f"{options.calls} calls in {time.monotonic() - begin:.1f} s: nothing found")
        return 1 if found else 0
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
