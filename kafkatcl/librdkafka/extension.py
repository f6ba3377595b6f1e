"""confluent-kafka's extension module, without the package around it.

The package imports serializing clients, asyncio and more, which nobody here uses, and
takes longer for it than all of our own modules do:
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/__init__.py#L19-L63

Once the module is there, ``from confluent_kafka.cimpl import ...`` finds it and does
without the package.  What needs that imports it, as does the module itself for metadata
and for batches of share consumers:
https://github.com/confluentinc/confluent-kafka-python/blob/v2.15.0/src/confluent_kafka/src/confluent_kafka.c#L3359-L3380
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

_PACKAGE = "confluent_kafka"
_NAME = "confluent_kafka.cimpl"


def load() -> ModuleType:
    """The extension module, which ``sys.modules`` has from now on.

    :raises ImportError: it is not installed, or does not fit this Python.
    """
    package = None if _PACKAGE in sys.modules else PathFinder.find_spec(_PACKAGE)
    if package and isinstance(package.loader, SourceFileLoader):
        spec = PathFinder.find_spec(_NAME, package.submodule_search_locations)
        if spec and spec.loader:
            module = sys.modules[_NAME] = module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.meta_path.insert(0, _Package(package.loader.path, module))
    return import_module(_NAME)


class _Package(SourceFileLoader):
    """Imports the package, should anybody ask for it, with the module bound in it.

    The import system binds a module in its package only when it loads it:
    https://docs.python.org/3/reference/import.html#submodules
    """

    def __init__(self, path: str, module: ModuleType) -> None:
        super().__init__(_PACKAGE, path)
        self._module = module

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The package; nothing else is found here."""
        return spec_from_file_location(name, loader=self) if name == _PACKAGE else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The package before its own code has run."""
        package = ModuleType(spec.name)
        setattr(package, _NAME.rpartition(".")[2], self._module)
        return package
