"""A fuzzer for the commands of the package:
calls from a grammar with a seed, made in a shell over a pipe.

``words.py``, ``values.py`` and ``commands.py`` are the grammar, ``generator.py`` draws
calls from it, ``shell.py`` makes them (with ``driver.tcl`` at the other end),
``oracle.py`` judges, ``runner.py`` runs many and ``shrinker.py`` finds the few that
matter. ``python -m fuzz --help``, in this folder's parent, runs it by hand.
"""
