"""Modules that are imported at their first use.

Others import them for what is never used here.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any


def postpone(name: str) -> None:
    """Have the module ``name`` imported at its first use, unless it is there."""
    if name not in sys.modules:
        sys.modules[name] = _Postponed(name)


class _Postponed(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)
