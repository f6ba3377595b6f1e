"""Texts in Python's and in Tcl's form."""

from __future__ import annotations

import pytest

from kafkatcl.bridge.inprocess import new_application
from kafkatcl.bridge.texts import echoed, text_from_tcl, text_to_tcl

TEXTS = [
    "",
    "plain",
    "gr\u00fc\u00df",
    "\U0001f600",
    "a\0b",
    "\0",
    "\ud800",
    "a\udfff\0",
    "\ud83d{",
    "\ufffd",
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_text_comes_back_from_tcl_s_form(text: str) -> None:
    assert text_from_tcl(text_to_tcl(text)) == text


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_an_echo_is_the_same_however_often(text: str) -> None:
    assert echoed(text) == echoed(echoed(text)) == text_to_tcl(text)


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "\U0001f600"], ids=ascii)
def test_tcl_has_the_characters_of_the_text(text: str) -> None:
    app = new_application()
    encoded = app.call("encoding", "convertto", "utf-8", text_to_tcl(text))
    digits = str(app.call("binary", "encode", "hex", encoded), "ascii")
    assert digits == text.encode("utf-8", "surrogatepass").hex()
