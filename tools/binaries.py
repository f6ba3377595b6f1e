"""What a shared library needs of the system that it is loaded in: ELF and Mach-O, both
of 64 bits and little-endian.

- https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, and for the versions of
  symbols https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
- https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_ELF = b"\x7fELF\x02\x01"
_MACH_O = b"\xcf\xfa\xed\xfe"
_MACHINES = {("elf", 62): "x86_64", ("elf", 183): "aarch64"}
_MACHINES.update({("macho", 0x1000007): "x86_64", ("macho", 0x100000C): "arm64"})

# ELF: types of sections, tags of the dynamic section, the binding of symbols.
_DYNAMIC, _SYMBOLS, _VERSIONS_NEEDED = 6, 11, 0x6FFFFFFE
_NEEDED = 1
_WEAK = 2
# Mach-O: load commands, and the types of symbols.
_LIBRARY, _SYMBOL_TABLE, _SIGNATURE, _BUILD_VERSION = 0xC, 0x2, 0x1D, 0x32
_TYPE, _EXTERNAL = 0x0E, 0x01


class Needs(NamedTuple):
    """What a shared library needs."""

    #: ``elf`` or ``macho``.
    form: str
    #: The processor, in the words of platform tags; a number if it is another one.
    machine: str
    libraries: set[str]
    #: Functions that it does not have itself and cannot do without, as C calls them.
    functions: set[str]
    #: Versions of symbols, such as ``GLIBC_2.17``; of ELF only.
    versions: set[str]
    #: The oldest macOS that it is for, such as ``(11, 0)``; of Mach-O only.
    macos: tuple[int, int]
    #: Whether it is signed, without which no Mac with an Arm processor loads it.
    is_signed: bool


def needs(data: bytes) -> Needs:
    """Read the bytes of a shared library.

    :raises ValueError: it is in another format.
    """
    if data.startswith(_ELF):
        return _elf(data)
    if data.startswith(_MACH_O):
        return _macho(data)
    raise ValueError("neither ELF nor Mach-O of 64 bits")


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()


def _machine(form: str, number: int) -> str:
    return _MACHINES.get((form, number), str(number))


class _Section(NamedTuple):
    """A section of an ELF file; ``link`` is the one that has its strings."""

    type: int
    at: int
    size: int
    link: int
    entries: int


def _elf(data: bytes) -> Needs:
    (machine,) = struct.unpack_from("<H", data, 18)
    (start,) = struct.unpack_from("<Q", data, 40)
    width, count = struct.unpack_from("<HH", data, 58)
    sections = [
        _Section(*struct.unpack_from("<4xI16xQQII", data, start + width * number)) for number in range(count)
    ]
    libraries: set[str] = set()
    functions: set[str] = set()
    versions: set[str] = set()
    for section in sections:
        strings = sections[section.link].at
        rows = data[section.at : section.at + section.size]
        if section.type == _DYNAMIC:
            pairs = struct.iter_unpack("<qQ", rows)
            libraries |= {_text(data, strings + name) for tag, name in pairs if tag == _NEEDED}
        elif section.type == _SYMBOLS:
            for name, info, where in struct.iter_unpack("<IBxH16x", rows):
                if name and not where and info >> 4 != _WEAK:
                    functions.add(_text(data, strings + name))
        elif section.type == _VERSIONS_NEEDED:
            versions |= {_text(data, strings + name) for name in _version_names(data, section)}
    return Needs("elf", _machine("elf", machine), libraries, functions, versions, (0, 0), False)


def _version_names(data: bytes, section: _Section) -> Iterator[int]:
    """Where among the strings the names of the versions are that are needed."""
    library = section.at
    for _ in range(section.entries):
        count, _, first, following = struct.unpack_from("<2xHIII", data, library)
        version = library + first
        for _ in range(count):
            name, further = struct.unpack_from("<8xII", data, version)
            yield name
            version += further
        library += following


def _macho(data: bytes) -> Needs:
    machine, count = struct.unpack_from("<4xI8xI", data)
    libraries: set[str] = set()
    functions: set[str] = set()
    macos, is_signed = (0, 0), False
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        if command == _LIBRARY:
            libraries.add(_text(data, at + struct.unpack_from("<8xI", data, at)[0]))
        elif command == _SYMBOL_TABLE:
            functions |= _undefined(data, *struct.unpack_from("<8xIII", data, at))
        elif command == _BUILD_VERSION:
            (oldest,) = struct.unpack_from("<12xI", data, at)
            macos = (oldest >> 16, oldest >> 8 & 0xFF)
        is_signed |= command == _SIGNATURE
        at += size
    return Needs("macho", _machine("macho", machine), libraries, functions, set(), macos, is_signed)


def _undefined(data: bytes, at: int, count: int, strings: int) -> set[str]:
    """The names of undefined symbols of a Mach-O, which begin with ``_`` there."""
    rows = struct.iter_unpack("<IBxH8x", data[at : at + 16 * count])
    return {
        _text(data, strings + name).removeprefix("_")
        for name, kind, _ in rows
        if kind & (_TYPE | _EXTERNAL) == _EXTERNAL
    }
