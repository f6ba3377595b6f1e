"""KafkaTcl in Python: ``package require kafka`` for Tcl interpreters made by tkinter.

>>> interp = kafkatcl.Interp()
>>> interp.eval("package require kafka; kafka::kafka version")

or, for an interpreter that is there already, ``kafkatcl.install(tk)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafkatcl.version import __version__

if TYPE_CHECKING:
    from kafkatcl.bridge.install import install
    from kafkatcl.hosting.message import Message
    from kafkatcl.interp import Interp, TclError, UndeliveredWarning

__all__ = ["Interp", "Message", "TclError", "UndeliveredWarning", "__version__", "install"]


def __getattr__(name: str) -> Any:
    """Import tkinter when it is needed: the ``kafkatcl`` command works without it."""
    if name == "install":
        from kafkatcl.bridge.install import install as found  # noqa: PLC0415

        return found
    if name in ("Interp", "Message", "TclError", "UndeliveredWarning"):
        from kafkatcl import interp  # noqa: PLC0415

        return getattr(interp, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
