"""Events that nothing has come for: Tcl's notifier may report one under load, and nobody must wait for what it names.

The notifier's thread looks at all descriptors, and then tells the interpreter what it has seen.  If it is held up in
between, the interpreter may have read that already, with the answer of a call, and be waiting anew.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from fix_tcl import TCLSH, RunTcl

from kafkatcl.shell.interrupt import READABLE, Interrupt


def test_a_sidecar_is_not_waited_for_when_it_has_sent_nothing(run_tcl: RunTcl) -> None:
    script = """
        package require kafka
        foreach channel [chan names] {
            if {![catch {fileevent $channel readable} handler]} {append handlers $handler \\n}
        }
        for {set i 0} {$i < 3} {incr i} {eval $handlers}
        kafka::kafka create m
        puts "goes on"
    """
    done = run_tcl(script, shell=TCLSH, timeout=20)
    assert (done.status, done.stdout, done.stderr) == (0, "goes on\n", "")


def test_the_prompt_is_not_held_up_when_nobody_has_interrupted() -> None:
    handlers: list[tuple[int, Any]] = []
    app = SimpleNamespace(createfilehandler=lambda file, _, function: handlers.append((file, function)))
    interrupt = Interrupt(app)
    ((reader, function),) = handlers
    assert not os.get_blocking(reader)
    function(reader, READABLE)
    os.close(reader)
    os.close(interrupt._writer)
