"""The house, read off the sources: which rooms there are, and who may import whom.

A room is a package of kafkatcl, or a module beside them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fix_imports import Package, circle, is_within

#: From the ground up, what each room may import of the house: rooms named before it, or
#: single modules of these.
MAY_IMPORT = {
    "version": (),
    "errors": (),
    "stacks": (),
    "postponed": (),
    "pkgindex": ("errors",),
    "install_tcl": ("errors", "pkgindex"),
    "librdkafka": ("errors",),
    "native": ("librdkafka.addresses", "librdkafka.message_queue", "librdkafka.raw_messages"),
    "engine": ("errors", "librdkafka", "native.fetching", "native.topics"),
    "relay": ("errors", "librdkafka.mock"),
    "broker": ("engine", "errors", "librdkafka", "relay"),
    "bridge": (
        "engine",
        "errors",
        "librdkafka.batches",
        "librdkafka.errors",
        "librdkafka.offsets",
        "librdkafka.sending",
        "librdkafka.version",
        "native",
        "pkgindex",
        "version",
    ),
    "sidecar": (
        "bridge",
        "engine",
        "librdkafka.batches",
        "postponed",
        "stacks",
        "version",
    ),
    "hosting": ("bridge", "engine", "errors"),
    "interp": ("bridge", "hosting"),
    ".": ("bridge", "hosting", "interp", "version"),
    "shell": (".", "bridge", "engine", "errors", "librdkafka.properties", "stacks"),
    "launch": ("postponed", "shell"),
    "cli": (".", "bridge.fronts", "broker", "errors", "install_tcl", "librdkafka.version", "pkgindex"),
    "__main__": ("cli",),
}

#: Who may import what is not ours: rooms, or single modules of them.
MAY_IMPORT_FOREIGN = {
    "confluent_kafka": ("librdkafka",),
    # The prompt needs some functions of Tcl that tkinter leaves out, and of readline
    # that Python's module does.
    "ctypes": ("librdkafka", "native", "shell.cancelling", "shell.eventsource", "shell.redisplay"),
    "tkinter": ("bridge.roots",),
    "_tkinter": ("bridge.inprocess",),
    # They import by names that no test here sees.
    "importlib": ("librdkafka.extension", "postponed"),
}

HOUSE = Package(Path(__file__).parent.parent / "kafkatcl")


def room_of(module: str) -> str:
    """The room that a module is in."""
    return module.partition(".")[0] or "."


def forbidden(package: Package) -> list[str]:
    """The imports from room to room that the table does not allow."""
    return [
        f"{arrow.place}: {room_of(arrow.source)} -> {arrow.target}"
        for arrow in package.arrows
        if arrow.is_own
        and room_of(arrow.source) != room_of(arrow.target)
        and not any(is_within(arrow.target, allowed) for allowed in MAY_IMPORT[room_of(arrow.source)])
    ]


def unused(package: Package) -> list[str]:
    """What the table allows and no module does."""
    used = {(room_of(arrow.source), arrow.target) for arrow in package.arrows if arrow.is_own}
    return [
        f"{room}: {allowed}"
        for room, permissions in MAY_IMPORT.items()
        for allowed in permissions
        if not any(room == source and is_within(target, allowed) for source, target in used)
    ]


def circle_of(package: Package) -> list[str]:
    """Modules that import each other in a circle, or nothing."""
    return circle({(arrow.source, arrow.target) for arrow in package.arrows if arrow.is_own})


# -- the house -------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_room() -> None:
    assert set(MAY_IMPORT) == set(map(room_of, HOUSE.modules))


def test_the_table_leads_down() -> None:
    rooms = list(MAY_IMPORT)
    for room, permissions in MAY_IMPORT.items():
        assert {room_of(allowed) for allowed in permissions} <= set(rooms[: rooms.index(room)]), room


def test_every_import_is_allowed() -> None:
    assert forbidden(HOUSE) == []


def test_every_permission_is_used() -> None:
    assert unused(HOUSE) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle_of(HOUSE) == []


@pytest.mark.parametrize("foreign", MAY_IMPORT_FOREIGN)
def test_what_is_not_ours_is_imported_where_the_table_says(foreign: str) -> None:
    importers, allowed = HOUSE.importers(foreign), MAY_IMPORT_FOREIGN[foreign]
    assert not {module for module in importers if not any(is_within(module, where) for where in allowed)}
    assert not {where for where in allowed if not any(is_within(module, where) for module in importers)}


def test_functions_of_the_library_are_called_in_its_package_alone() -> None:
    callers = {arrow.source for arrow in HOUSE.arrows if arrow.target == "librdkafka.library"}
    assert len(callers) > 3
    assert set(map(room_of, callers)) == {"librdkafka"}


# -- that these tests can fail ---------------------------------------------------------

#: A small house that is as the table says.
GOOD = {
    "__init__": "",
    "errors": "import os",
    "librdkafka.__init__": "",
    "librdkafka.batches": "",
    "librdkafka.mock": "from kafkatcl.errors import Failure",
    "librdkafka.wrapper": "import confluent_kafka",
    "engine.__init__": "",
    "engine.handle": "from kafkatcl.librdkafka import wrapper",
    "bridge.__init__": "",
    "bridge.calls.__init__": "from kafkatcl.bridge.calls import topics",
    "bridge.calls.topics": "from kafkatcl.engine.handle import Handle\nimport kafkatcl.librdkafka.batches",
}

#: Imports that the table forbids: the module that has them, the import, and the arrow
#: that is told.
FORBIDDEN = {
    "from": ("engine.topic", "from kafkatcl.bridge.calls import topics", "engine -> bridge.calls.topics"),
    "import": ("engine.topic", "import kafkatcl.bridge as b", "engine -> bridge"),
    "in a function": (
        "errors",
        "def f():\n    from kafkatcl.engine.handle import Handle",
        "errors -> engine.handle",
    ),
    "for types": (
        "librdkafka.conf",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from kafkatcl import engine",
        "librdkafka -> engine",
    ),
    "relative": ("bridge.calls.topics", "from ...librdkafka import mock", "bridge -> librdkafka.mock"),
    "relative in a package": (
        "engine.__init__",
        "from ..bridge.calls.topics import f",
        "engine -> bridge.calls.topics",
    ),
    "another module of a package": (
        "bridge.calls.topics",
        "from kafkatcl.librdkafka import wrapper",
        "bridge -> librdkafka.wrapper",
    ),
    "the whole package": ("bridge.calls.topics", "import kafkatcl.librdkafka", "bridge -> librdkafka"),
    "the face": ("engine.topic", "from kafkatcl import __version__", "engine -> ."),
}


def built(folder: Path, **sources: str) -> Package:
    """The small house with other sources for some modules."""
    for module, source in {**GOOD, **sources}.items():
        path = folder / "kafkatcl" / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return Package(folder / "kafkatcl")


def test_a_good_house_is_good(tmp_path: Path) -> None:
    house = built(tmp_path)
    assert forbidden(house) == []
    assert {"librdkafka: errors", "engine: librdkafka", "bridge: engine"}.isdisjoint(unused(house))
    assert circle_of(house) == []
    assert house.importers("confluent_kafka") == {"librdkafka.wrapper"}


@pytest.mark.parametrize("how", FORBIDDEN)
def test_a_forbidden_import_is_found(tmp_path: Path, how: str) -> None:
    module, source, said = FORBIDDEN[how]
    found = forbidden(built(tmp_path, **{module: source}))
    assert [line.partition(": ")[2] for line in found] == [said]


def test_a_permission_that_nobody_uses_is_found(tmp_path: Path) -> None:
    assert "bridge: librdkafka.batches" in unused(built(tmp_path, **{"bridge.calls.topics": ""}))


def test_a_circle_of_modules_is_found(tmp_path: Path) -> None:
    sources = {
        "engine.handle": "from kafkatcl.engine import metadata",
        "engine.metadata": "if 0:\n    from .handle import Handle",
    }
    assert set(circle_of(built(tmp_path, **sources))) == {"engine.handle", "engine.metadata"}


@pytest.mark.parametrize(
    "source", ["import confluent_kafka.admin", "def f():\n    from confluent_kafka import admin"]
)
def test_who_imports_what_is_not_ours_is_found(tmp_path: Path, source: str) -> None:
    house = built(tmp_path, **{"engine.handle": source})
    assert house.importers("confluent_kafka") == {"engine.handle", "librdkafka.wrapper"}
