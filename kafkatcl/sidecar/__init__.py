"""The package kafka for Tcl interpreters without Python:
the engine in a process of its own, beside them.

The Tcl side is ``tcl/sidecar.tcl`` and its kin.  ``protocol.py`` says what passes
between the two.
"""
