"""Which file of the native part runs here, if any, and why.

The files are compiled from ``fastpaths.c`` when a wheel is built, or the package is
installed from its sources, for each Tcl that is known.
"""

from __future__ import annotations

import ctypes
import os
import threading
from functools import cache
from typing import Any, NamedTuple

from kafkatcl.librdkafka.addresses import addresses, major_version

#: What this module and ``fastpaths.c`` must agree on; the file has the same number.
INTERFACE = 3
#: Of librdkafka: a new major version may have other structures.
_LIBRDKAFKA = 2
#: ``0`` turns the native part off; another value is the file to use.
VARIABLE = "KAFKATCL_NATIVE"
_OFF = ("0", "no", "off", "false")

_FOLDER = os.path.dirname(__file__)
_POINTER = ctypes.c_void_p
_loading = threading.Lock()


class Found(NamedTuple):
    """What was found: the library, or None; the file, or why there is none."""

    library: Any
    words: str
    #: Whether somebody should be told that it is not used.
    is_odd: bool = False


def file_for(tcl_version: str) -> str:
    """The file for a Tcl version such as ``8.6.13``."""
    chosen = os.environ.get(VARIABLE, "")
    if chosen and chosen.lower() not in (*_OFF, "1"):
        return chosen
    return os.path.join(_FOLDER, f"tcl{tcl_version.partition('.')[0]}.so")


@cache
def find(tcl_version: str) -> Found:
    """Open the file for a Tcl version, and check it as far as that goes without Tcl.

    It is looked for once.
    """
    if os.environ.get(VARIABLE, "").lower() in _OFF:
        return Found(None, f"as {VARIABLE} is {os.environ[VARIABLE]}")
    file = file_for(tcl_version)
    if not os.path.isfile(file):
        is_chosen = os.path.dirname(file) != _FOLDER
        return Found(None, f"there is no file {file}" if is_chosen else "it was not compiled here", is_chosen)
    if major_version() != _LIBRDKAFKA:
        return Found(None, f"it is made for librdkafka {_LIBRDKAFKA}", is_odd=True)
    try:
        library = ctypes.CDLL(file)
        if ctypes.c_int.in_dll(library, "kafkatcl_interface").value != INTERFACE:
            return Found(None, f"{file} is of another version of kafkatcl", is_odd=True)
        _declare(library)
    except (OSError, ValueError, AttributeError) as error:
        return Found(None, f"{file} cannot be used: {error}", is_odd=True)
    return Found(library, file)


def loaded(interpreter: int, tcl_version: str) -> Found:
    """What :func:`find` says, once the file has looked at an interpreter, too.

    :param interpreter: the address of the ``Tcl_Interp``.
    """
    found = find(tcl_version)
    if found.library is None:
        return found
    names = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(found.library, "kafkatcl_names")))
    wanted = names.decode().split()
    try:
        table = (_POINTER * len(wanted))(*addresses(wanted))
    except AttributeError as error:
        return Found(None, f"this librdkafka has not all that it needs: {error}", is_odd=True)
    with _loading:  # it notes what it finds in variables of its own
        why = found.library.kafkatcl_load(interpreter, table)
    return Found(None, f"{found.words}: {why.decode()}", is_odd=True) if why else found


def _declare(library: Any) -> None:
    """Tell ctypes what the functions of ``fastpaths.c`` take and return."""
    text, integer, none = ctypes.c_char_p, ctypes.c_int, None
    functions = (
        ("load", text, [_POINTER, ctypes.POINTER(_POINTER)]),
        ("topic", _POINTER, [_POINTER, text, text, text, _POINTER]),
        ("reader", integer, [_POINTER, text, text, text, text, integer]),
        ("open", none, [_POINTER, _POINTER, _POINTER]),
        ("close", none, [_POINTER]),
        ("codes", integer, [_POINTER, ctypes.POINTER(ctypes.POINTER(integer))]),
        ("release", none, [_POINTER]),
        ("fetched", none, [_POINTER, text]),
        ("fetcher", _POINTER, [_POINTER, _POINTER, _POINTER]),
        ("fetch", _POINTER, [_POINTER, _POINTER, _POINTER, integer, integer, integer]),
        ("forget", none, [_POINTER]),
    )
    # With Python's lock, so that nobody drops what another thread is looking at.
    locked = (
        ("drop", none, [_POINTER]),
        ("row", integer, [_POINTER, integer]),
        ("nbytes", ctypes.c_int64, [_POINTER, integer, integer]),
        ("lay_out", ctypes.c_int64, [_POINTER, integer, integer, integer]),
    )
    for loader, rows in ((library, functions), (ctypes.PyDLL(library._name), locked)):
        for name, result, arguments in rows:
            function = loader[f"kafkatcl_{name}"]
            function.restype, function.argtypes = result, arguments
            setattr(library, f"kafkatcl_{name}", function)
