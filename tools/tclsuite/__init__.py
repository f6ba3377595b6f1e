"""Tcl's own tests in our shells: which of them tell these from the tclsh
of the system.
"""
