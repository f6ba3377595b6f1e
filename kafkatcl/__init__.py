"""KafkaTcl in Python: ``package require kafka`` for Tcl interpreters made by tkinter."""

from __future__ import annotations

__version__ = "2.5.0"
