"""Python functions and objects as Tcl commands: what ``kafkatcl.Interp`` is made of."""
