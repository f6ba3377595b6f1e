"""Imports as a source says them: the arrows between the modules of a package,
read and never run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple


class Arrow(NamedTuple):
    """That a module, such as ``bridge.calls.topics``, imports another,
    or a foreign one such as ``os.path``.

    Modules of the package are named without it; the package itself is ``.``.
    """

    source: str
    target: str
    is_own: bool
    place: str


class Package:
    """The modules of the package in a folder, and what they import.

    Imports count wherever they stand: on top, in a function, under ``TYPE_CHECKING``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths = {_name(path.relative_to(folder)): path for path in sorted(folder.rglob("*.py"))}
        self.modules = frozenset(self._paths)
        self.arrows = [arrow for module in self._paths for arrow in self._arrows_of(module)]

    def importers(self, foreign: str) -> set[str]:
        """The modules that import a foreign one, or a part of it."""
        return {
            arrow.source for arrow in self.arrows if not arrow.is_own and is_within(arrow.target, foreign)
        }

    def _arrows_of(self, module: str) -> Iterator[Arrow]:
        path = self._paths[module]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                place = f"{path.relative_to(self.folder)}:{node.lineno}"
                for name in self._imported(module, node):
                    is_own = is_within(name, self.folder.name)
                    target = self._module(name) if is_own else name
                    if target != module:
                        yield Arrow(module, target, is_own, place)

    def _imported(self, module: str, node: ast.Import | ast.ImportFrom) -> list[str]:
        """The full names of what is imported."""
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        parts = [node.module] if node.module else []
        if node.level:
            here = [self.folder.name, *(module.split(".") if module != "." else [])]
            is_package = self._paths[module].name == "__init__.py"
            parts = here[: len(here) - node.level + is_package] + parts
        return [".".join([*parts, alias.name]) for alias in node.names]

    def _module(self, name: str) -> str:
        """The module that a full name is of, or in."""
        inner = name.partition(".")[2]
        while inner and inner not in self.modules:
            inner = inner.rpartition(".")[0]
        return inner or "."


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "."


def is_within(module: str, package: str) -> bool:
    """Whether a module is this one, or one in it."""
    return module == package or module.startswith(f"{package}.")


def circle(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Names that lead back to where they began, or nothing if there are no such."""
    graph: dict[str, set[str]] = {}
    for source, target in pairs:
        graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []
