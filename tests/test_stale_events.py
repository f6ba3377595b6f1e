"""Events that nothing has come for: Tcl's notifier may report one under load, and
nobody must wait for what it names.

The notifier's thread looks at all descriptors, and then tells the interpreter what it
has seen.  If it is held up in between, the interpreter may have read that already, with
the answer of a call, and be waiting anew.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from fix_async import scaled
from fix_tcl import TCLSH, RunTcl, environment_of

# It goes from a call to the event loop and back.
ASKING = """
package require kafka
kafka::kafka create m
m logger none
m producer_creator p
set end [expr {[clock milliseconds] + [lindex $argv 0] * 1000}]
while {[clock milliseconds] < $end} {
    p output_queue_length
    after 2 {set tick 1}
    vwait tick
}
puts done
"""


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


def test_processes_that_hold_each_other_up_do_not_hang(tmp_path: Path) -> None:
    """20 of them for a minute had 2 that hung."""
    file = tmp_path / "s.tcl"
    file.write_text(ASKING)
    seconds = scaled(3, 60)
    command = [*TCLSH, str(file), str(seconds)]
    environment = {**os.environ, **environment_of(TCLSH)}
    pipe = subprocess.PIPE
    with ExitStack() as ending:
        processes = []
        for _ in range(scaled(4, 20)):
            process = subprocess.Popen(command, env=environment, stdout=pipe, text=True)
            ending.callback(process.communicate)
            ending.callback(process.kill)
            processes.append(process)
        assert [process.communicate(timeout=seconds + 60)[0] for process in processes] == ["done\n"] * len(
            processes
        )
