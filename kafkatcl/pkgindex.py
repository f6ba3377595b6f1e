"""Where Tcl finds the package: the folder of its index, ``pkgIndex.tcl``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kafkatcl.errors import Failure

_PACKAGE = Path(__file__).parent


def index_folder() -> Path:
    """The folder of the package's index, in the installed package or in the checkout.

    :raises Failure: there is none.
    """
    for folder in (_PACKAGE / "pkgIndex", _PACKAGE.parent / "pkgIndex"):
        if (folder / "pkgIndex.tcl").is_file():
            return folder
    raise Failure(f"there is no pkgIndex in {_PACKAGE}: install the Python package kafkatcl again")


def tcl_word(path: Path | str) -> bytes:
    """``path`` as a word of Tcl and an element of lists, in the bytes of its name.

    TCLLIBPATH, for which it is meant, is a list:
    https://www.tcl-lang.org/man/tcl8.6/TclCmd/tclvars.htm
    """
    return re.sub(
        rb'[\s"$;\[\\\]{}]', lambda found: b"\\x%02x" % ord(found[0]), os.fsencode(Path(path).as_posix())
    )
