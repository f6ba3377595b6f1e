"""Where Tcl finds the package: the folder of its index, ``pkgIndex.tcl``."""

from __future__ import annotations

import os
import re

from kafkatcl.errors import Failure

_PACKAGE = os.path.dirname(__file__)


def index_folder() -> str:
    """The folder of the package's index, in the installed package or in the checkout.

    :raises Failure: there is none.
    """
    for above in (_PACKAGE, os.path.dirname(_PACKAGE)):
        folder = os.path.join(above, "pkgIndex")
        if os.path.isfile(os.path.join(folder, "pkgIndex.tcl")):
            return folder
    raise Failure(f"there is no pkgIndex in {_PACKAGE}: install the Python package kafkatcl again")


def tcl_word(path: str) -> bytes:
    """``path`` as a word of Tcl and an element of lists, in the bytes of its name.

    TCLLIBPATH, for which it is meant, is a list:
    https://www.tcl-lang.org/man/tcl8.6/TclCmd/tclvars.htm
    """
    return re.sub(rb'[\s"$;\[\\\]{}]', lambda found: b"\\x%02x" % ord(found[0]), os.fsencode(path))
