"""What may reach Tcl, read off the sources:
guarded functions, and no script that is built from data.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "kafkatcl"
SOURCES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}

#: What tkinter calls straight from Tcl, and where the function stands among the
#: arguments.
REGISTERING = {"createcommand": 1, "createfilehandler": 2, "createtimerhandler": 1}
#: The methods that evaluate a script, which must be a constant: data goes in as words,
#: through ``call``.
EVALUATING = {"eval", "evalfile", "exprstring"}
#: The one script that is put together, from the name of a command of ours and a number.
LEAVING = "f'{command} {status}'"


def calls(name: str, methods: set[str] | dict[str, int]) -> Iterator[ast.Call]:
    """The calls of methods of these names."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            yield node


def test_tcl_calls_guarded_functions_only() -> None:
    found = 0
    for name in SOURCES:
        guarded = {
            target.id
            for node in ast.walk(TREES[name])
            if isinstance(node, ast.Assign) and is_guarded(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in calls(name, REGISTERING):
            found += 1
            function = call.args[REGISTERING[call.func.attr]]  # type: ignore[attr-defined]
            assert is_guarded(function) or only_calls(function, guarded) or is_quick(name, function), (
                f"{name}:{call.lineno}: pass guarded(...)"
            )
    assert found >= 3


def is_quick(name: str, function: ast.expr) -> bool:
    """Whether this is the parameter of ``define_fast_path``, the way for functions that
    never raise (see the next test).
    """
    [definition] = [
        node
        for node in ast.walk(TREES["bridge/inprocess.py"])
        if isinstance(node, ast.FunctionDef) and node.name == "define_fast_path"
    ]
    return name == "bridge/inprocess.py" and function in list(ast.walk(definition))


def test_functions_without_a_guard_never_raise() -> None:
    found = 0
    for name in SOURCES:
        for node in ast.walk(TREES[name]):
            if isinstance(node, ast.FunctionDef) and "fast_path" in map(ast.unparse, node.decorator_list):
                found += 1
                [body] = [
                    line for line in node.body if not isinstance(line, ast.Expr)
                ]  # but for the docstring
                assert isinstance(body, ast.Try), f"{name}:{node.lineno}: all of it must be tried"
                [handler] = body.handlers
                assert handler.type is not None
                assert ast.unparse(handler.type) == "BaseException"
                assert [ast.unparse(line) for line in handler.body] == ["return 0"]
    assert found >= 1


def is_guarded(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "guarded"


def only_calls(node: ast.expr, guarded: set[str]) -> bool:
    """Whether a lambda does nothing but call a guarded function."""
    if not isinstance(node, ast.Lambda):
        return False
    called = [inner.func for inner in ast.walk(node.body) if isinstance(inner, ast.Call)]
    return bool(called) and all(isinstance(func, ast.Name) and func.id in guarded for func in called)


def test_no_script_is_built_from_data() -> None:
    for name in SOURCES:
        for call in calls(name, EVALUATING):
            if not (name == "shell/__init__.py" and ast.unparse(call.args[0]) == LEAVING):
                assert not is_built(call.args[0]), f"{name}:{call.lineno}: pass words to call()"


def is_built(script: ast.expr) -> bool:
    """Whether a text is put together: an f-string with values,
    ``+`` or ``%``, ``format`` or ``join``.
    """
    if isinstance(script, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in script.values)
    if isinstance(script, ast.Call) and isinstance(script.func, ast.Attribute):
        return script.func.attr in {"format", "format_map", "join", "replace"}
    return isinstance(script, ast.BinOp)


@pytest.mark.parametrize(
    "script", ['f"set x {y}"', '"set x " + y', '"set x %s" % y', '"{}".format(y)', '" ".join(y)']
)
def test_built_scripts_are_recognized(script: str) -> None:
    assert is_built(ast.parse(script, mode="eval").body)


@pytest.mark.parametrize("script", ['"set x 1"', "TEXT", "path.read_text()", 'f"set x"'])
def test_constant_scripts_are_recognized(script: str) -> None:
    assert not is_built(ast.parse(script, mode="eval").body)
