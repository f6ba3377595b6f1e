"""What :class:`kafkatcl.interp.Interp` is made of:
Python functions and objects as Tcl commands.
"""
