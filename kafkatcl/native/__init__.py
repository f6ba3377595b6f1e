"""The native part: commands in C for what scripts do most often.

It is optional.  Where there is no file of it for this platform, or the file does not
fit, the procedures in ``tcl/`` do everything, as they do for all that is unusual.
``fastpaths.c`` tells how the two go together.
"""
