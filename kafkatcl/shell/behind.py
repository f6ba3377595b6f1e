"""Put folders that ``PYTHONPATH`` names behind those of Python itself.

The shell imports this module before all else.

A ``selectors.py`` in such a folder then does not replace Python's own.
"""

from __future__ import annotations

import os
import sys

_named = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
sys.path.sort(key=lambda path: os.path.abspath(path) in _named)
