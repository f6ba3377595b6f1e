"""The package kafka for Tcl interpreters without Python.

The engine runs in a process of its own, the sidecar, beside the interpreter.  The Tcl
side is ``tcl/sidecar.tcl`` and its kin; ``protocol.py`` says what passes between the
two.
"""
