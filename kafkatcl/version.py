"""The version of this package, and of the Tcl package that it registers."""

from __future__ import annotations

__version__ = "2.5.0"
#: Of ``package require kafka``.
TCL_VERSION = __version__.rpartition(".")[0]
