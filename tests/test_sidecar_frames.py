"""What passes between a Tcl shell and its sidecar, written and read by either side."""

from __future__ import annotations

import os
import random
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fix_engine import laid_out

import kafkatcl
from kafkatcl.bridge.inprocess import new_application
from kafkatcl.bridge.shapes import Messages
from kafkatcl.engine.layouts import LAYOUTS, PLAIN, Layout
from kafkatcl.engine.messages import Run
from kafkatcl.sidecar import answers
from kafkatcl.sidecar.answers import answer_frame, frame
from kafkatcl.sidecar.protocol import Kind
from kafkatcl.sidecar.requests import frames, produced, produced_batch, produced_row, words
from kafkatcl.sidecar.tcl_list import listed

TCL = Path(kafkatcl.__file__).parent / "tcl"
ALL_BYTES = bytes(range(256))


#: Interpreters are kept to the end: Tcl aborts the process if one is freed in a thread
#: that collects garbage.
_kept: list[Any] = []


@pytest.fixture(scope="module")
def tcl() -> Any:
    """A Tcl interpreter that has the procedures of the sidecar, and no sidecar."""
    app = new_application()
    app.eval("namespace eval ::kafkatcl::sidecar {}")
    app.call("source", str(TCL / "sidecar" / "frames.tcl"))
    _kept.append(app)
    return app


def read(tcl: Any, parts: list[bytes]) -> Any:
    """The value that Tcl gets of a frame."""
    data = b"".join(parts)
    length, kind = struct.unpack_from("<ii", data)
    body = data[8:]
    assert length == len(body)
    reader = {Kind.LIST: "Text", Kind.PARTS: "Parts"}[Kind(kind)]
    return tcl.call(f"::kafkatcl::sidecar::{reader}", body)


def elements(tcl: Any, value: Any) -> list[str]:
    """The elements of a list as strings; a byte has one character."""
    return [
        part.decode("latin-1") if isinstance(part, bytes) else str(part)
        for part in tcl.call("lrange", value, 0, "end")
    ]


# -- answers ---------------------------------------------------------------------------


def test_answers_are_lists_as_tcl_writes_them(tcl: Any) -> None:
    chance = random.Random(1)
    texts = [
        "".join(chance.choices('ab {}[]"\\$;#\n\t\r\v\f~\xe9\u20ac', k=chance.randint(0, 6)))
        for _ in range(5000)
    ]
    value = read(tcl, answer_frame((0, tuple(texts))))
    assert elements(tcl, tcl.call("lindex", value, 1)) == texts
    # Also in its text: scripts compare lists as strings.
    written = tcl.eval("proc same {text} {expr {[list {*}$text] eq $text}}; list")
    assert written == ""
    assert tcl.call("same", str(tcl.call("lindex", value, 1)))
    beginning = read(tcl, answer_frame((0, tuple(("#" + text, "#b") for text in texts))))
    odd = "proc odd {lists} {lmap one $lists {if {[list {*}$one] eq $one} continue; set one}}; list"
    assert tcl.eval(odd) == ""
    assert tcl.call("odd", tcl.call("lindex", beginning, 1)) in ((), "")


@pytest.mark.parametrize(
    "value",
    [
        (),
        (0, ""),
        (0, 5),
        (0, (1, -1, 2**62)),
        (1, "no {luck", ("KAFKA", "a b", "")),
        (0, (("a",), (), ("b c",))),
    ],
)
def test_answers_of_other_kinds(tcl: Any, value: Any) -> None:
    def plain(one: Any) -> Any:
        return tuple(map(plain, one)) if isinstance(one, tuple) else str(one)

    def parsed(text: Any, like: Any) -> Any:
        if not isinstance(like, tuple):
            return str(text)
        return tuple(parsed(part, kind) for part, kind in zip(elements(tcl, text), like))

    assert parsed(read(tcl, answer_frame(value)), value) == plain(value)


def plain(word: Any) -> str:
    """A word as Tcl has it, a byte as one character."""
    return word.decode("latin-1") if isinstance(word, bytes) else str(word)


def test_lists_of_words_are_as_tcl_writes_them(tcl: Any) -> None:
    chance = random.Random(2)
    tcl.eval("proc same {text} {expr {[list {*}$text] eq $text}}")
    for _ in range(500):
        words = tuple(
            "".join(chance.choices('ab{} #\\"\xe9', k=chance.randint(0, 3)))
            for _ in range(chance.randint(0, 4))
        )
        written = listed(words)
        assert tuple(elements(tcl, written)) == words
        assert tcl.call("same", written)
    assert listed(("a.b", b"1-2", 3)) == "a.b 1-2 3"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_messages_cross_byte_for_byte(tcl: Any, layout: Layout) -> None:
    payloads = [b"", ALL_BYTES, b"{", "\u20ac".encode(), bytes(100_000)]
    samples: dict[Any, list[Any]] = {
        bytes: [ALL_BYTES, b"", b"k"],
        int: [0, 2**40, -1],
        str: ["append", "", "\u20ac{"],
        tuple: [("a", b"1", "b b", ALL_BYTES), (), ("\u20ac", b"{", "#", b"")],
    }
    first: tuple[Any, ...] = ()
    for number, payload in enumerate(payloads):
        others = [samples[field.type][number % 3] for field in layout.columns[3:]]
        first += (payload, 2**40 + number, -1, *others)
    second = (b"other", 7, 1_700_000_000_000)
    batch = (
        0,
        (
            "b1",
            6,
            Messages.of("messages", Run("t", 1, layout, first)),
            ("error", "x", "y", "z"),
            Messages.of("messages", Run("u u", 2, PLAIN, second)),
        ),
    )
    value = read(tcl, answer_frame(batch))
    assert elements(tcl, tcl.call("lindex", value, 1, 2))[:4] == ["messages", "t", "1", layout.name]
    got = [
        tuple(elements(tcl, text)) if isinstance(field, tuple) else text
        for text, field in zip(elements(tcl, tcl.call("lindex", value, 1, 2, 4)), first)
    ]
    assert got == [tuple(map(plain, field)) if isinstance(field, tuple) else plain(field) for field in first]
    assert elements(tcl, tcl.call("lindex", value, 1, 3)) == ["error", "x", "y", "z"]
    assert elements(tcl, tcl.call("lindex", value, 1, 4, 4)) == ["other", "7", "1700000000000"]


#: What may not be told from a part of a list, and what is long enough to stand apart.
LONG_VALUES = [
    ALL_BYTES,
    b"{" * 300,
    b"\\" * 301,
    b"0" * 300,
    b" 1" + b" " * 300,
    b"#" + b"a b " * 100,
    "\u0100\u20ac{" * 100,
    "\U0001f600" * 100,
    "x" * answers.LONG,
]


@pytest.mark.parametrize("value", LONG_VALUES, ids=range(len(LONG_VALUES)))
def test_long_values_keep_every_byte(tcl: Any, value: bytes | str) -> None:
    """Wherever in an answer they are, and beside messages."""
    run = Run("t", 1, PLAIN, (b"payload", 7, -1))
    for told in (
        (0, value),
        (0, (("r", ("payload", value, "partition", 0, "headers", ("h", value))), ("s", (value, "a b")))),
        (0, (Messages.of("c", run), ("r", ("key", value)), Messages.of("c", run), (value,))),
        (1, value, ("KAFKA", value)),
    ):
        parts = answer_frame(told)
        assert parts.count(value if isinstance(value, bytes) else value.encode()) >= 1
        _assert_same(tcl, read(tcl, parts), told)


def _assert_same(tcl: Any, got: Any, told: Any) -> None:
    if isinstance(told, tuple):
        parts = tcl.call("lrange", got, 0, "end")
        assert len(parts) == len(told)
        for one, like in zip(parts, told):
            _assert_same(tcl, one, like)
    else:
        assert plain(got) == plain(told)


def test_an_answer_with_long_values_is_a_list_as_tcl_writes_it(tcl: Any) -> None:
    told = (0, (("r", ("payload", b"{ \\" * 100, "tag", "\u0100$" * 100, "none", "")), ()))
    apart, whole = (read(tcl, answer_frame(told, long=long)) for long in (answers.LONG, 10_000))
    assert tcl.call("string", "equal", apart, whole)


# -- requests --------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def whole(body: bytes) -> bytes:
    """A frame in one piece."""
    return b"".join(frame(Kind.LIST, body))


def test_frames_come_in_any_pieces(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    chance = random.Random(2)
    bodies = [os.urandom(chance.choice([0, 1, 7, 100, 70_000, 600_000])) for _ in range(40)]
    data = b"".join(map(whole, bodies))

    def write() -> None:
        at = 0
        while at < len(data):
            at += os.write(writing, data[at : at + chance.choice([1, 3, 8, 4096, 300_000])])
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    assert [body for _, body in frames(reading)] == bodies
    writer.join()


def test_a_frame_that_is_cut_off_is_none(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.write(writing, whole(b"whole") + whole(b"cut off")[:-1])
    os.close(writing)
    assert [body for _, body in frames(reading)] == [b"whole"]


def test_who_is_told_to_end_reads_what_is_there(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.write(writing, whole(b"one") + whole(b"two"))
    os.set_blocking(reading, False)
    assert [body for _, body in frames(reading)] == [b"one", b"two"]
    os.close(writing)


@pytest.mark.parametrize(
    "given", [["name"], ["name", ""], ["name", "a b", "\u20ac", "\xe9", "\0", "{", "x" * 100_000]]
)
def test_words(given: list[str], tcl: Any) -> None:
    assert words(tcl.call("::kafkatcl::sidecar::Words", given)) == given


@pytest.mark.parametrize("key", [None, b"", ALL_BYTES])
@pytest.mark.parametrize("payload", [b"", ALL_BYTES])
def test_produced(payload: bytes, key: bytes | None) -> None:
    body = struct.pack("<12sii", b"t17", -1, -1 if key is None else len(key)) + payload + (key or b"")
    assert produced(body) == ("t17", -1, payload, key)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [b"", ALL_BYTES],
        [(b"", b""), (ALL_BYTES, b"k")],
        [(b"", b"k"), ALL_BYTES, b"", (b"x", b""), (b"y", ALL_BYTES)],
    ],
)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_produced_batch(messages: list[Any], kind: type) -> None:
    rows, lengths, data = laid_out(messages)
    body = struct.pack(f"<12sii{len(lengths)}i", b"t1", 3, len(rows), *lengths) + data
    topic, partition, batch = produced_batch(kind(body))
    assert (topic, partition, list(batch.messages()), len(batch)) == ("t1", 3, rows, len(rows))
    assert list(batch.behind(2).messages()) == rows[2:]


def unanswered(partition: int, payload: bytes, key: bytes | None = None, op: int = 3) -> bytes:
    """A frame that produces."""
    body = struct.pack("<12sii", b"t1", partition, -1 if key is None else len(key)) + payload + (key or b"")
    return struct.pack("<ii", len(body), op) + body


@pytest.mark.parametrize("at_once", [1, 7, 28, 1 << 20])
def test_messages_in_a_row_come_together(pipe: tuple[int, int], at_once: int) -> None:
    """In their order, whatever lies between them, and however they are cut."""
    rows = [(0, b"a", None), (0, b"", b"k"), (1, ALL_BYTES, b""), (1, b"", None), (-1, b"b", ALL_BYTES)]
    between = unanswered(0, b"answered", op=2)
    data = between.join(b"".join(unanswered(*row) for row in rows) for _ in range(3))
    reading, writing = pipe

    def write() -> None:
        for at in range(0, len(data), at_once):
            os.write(writing, data[at : at + at_once])
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[Any] = []
    calls = 0
    for op, found in frames(reading):
        if op == 2:
            seen.append(bytes(found))
            continue
        calls += 1
        topic, partition, batch = found
        assert topic == "t1"
        seen += [(partition, *message) for message in batch.messages()]
    writer.join()
    assert seen == [*rows, between[8:], *rows, between[8:], *rows]
    if at_once > len(data):
        assert calls == 9


def test_a_row_of_messages_ends_where_the_next_is_not_whole() -> None:
    held = unanswered(5, b"one") + unanswered(5, b"two")
    for cut in range(len(held) // 2, len(held)):
        (_, partition, batch), end = produced_row(held[:cut], 0)
        assert (partition, list(batch.messages()), end) == (5, [(b"one", None)], len(held) // 2)
