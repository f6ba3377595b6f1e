"""What the tests of asynchronous work have in common: how long they take, what they
read, and the scripts they run.
"""

from __future__ import annotations

import os
import queue
import select
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
from confluent_kafka import Producer
from fix_cluster import Cluster
from fix_stacks import ask_for_stacks
from fix_tcl import KAFKATCLSH, environment_of, shows_fault

Size = TypeVar("Size", int, float)

#: Whether the tests run in their long form, as ``make soak`` has them.
SOAK = os.environ.get("KAFKATCL_SOAK") == "1"

#: What scripts begin with.  ``listen SOURCE CALLBACK COUNT`` makes the objects c and
#: tc, s, or p and tp, and has the callback told of messages 0, 1, ... of partition 0 of
#: the topic $topic, or of reports of as many messages.
PRELUDE = """
package require kafka
proc number {message} {dict get $message payload}
proc numbers {count} {
    for {set i 0} {$i < $count} {incr i} {lappend numbers $i}
    return $numbers
}
# Run events until an expression of the caller is true.
proc await {condition {ms 15000}} {
    set end [expr {[clock milliseconds] + $ms}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock milliseconds] > $end} {error "waited $ms ms for $condition"}
        after 1 {incr ::awaited}
        vwait ::awaited
    }
}
namespace eval source {
    proc topic {callback count} {
        m consumer_creator ::c
        c new_topic ::tc $::topic
        tc start 0 0 $callback
    }
    proc queue {callback count} {
        m consumer_creator ::c
        c new_topic ::tc $::topic
        c create_queue ::q
        q consume_callback $callback
        tc start_queue 0 0 q
    }
    proc subscriber {callback count} {
        m config group.id readers-[pid]
        m subscriber ::s
        s callback $callback
        s assign [list $::topic 0 0]
    }
    proc report {callback count} {
        m delivery_report callback $callback
        m producer_creator ::p
        p new_topic ::tp $::topic
        tp produce_batch 1 [numbers $count]
    }
}
proc listen {source callback count} {::source::$source $callback $count}
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] fetch.wait.max.ms 10
set topic [lindex $argv 0]
"""
SOURCES = ("topic", "queue", "subscriber", "report")


def scaled(short: Size, long: Size) -> Size:
    """``long`` under ``make soak``, else ``short``."""
    return long if SOAK else short


def filled(cluster: Cluster, counts: Mapping[int, int], size: int = 0, partitions: int = 4) -> str:
    """A new topic whose partitions have so many messages:
    the numbers from 0 on, with blanks up to ``size`` bytes.
    """
    topic = cluster.topic(partitions)
    fill(cluster, topic, counts, size)
    return topic


def fill(cluster: Cluster, topic: str, counts: Mapping[int, int], size: int = 0) -> None:
    """Add such messages to a topic, and wait until they are in the log."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "linger.ms": 20})
    for partition, count in counts.items():
        for number in range(count):
            while True:
                try:
                    producer.produce(topic, b"%d" % number + b" " * (size - 8), partition=partition)
                    break
                except BufferError:
                    producer.poll(0.1)
    assert producer.flush(60) == 0


class Live:
    """A running script, and what it says line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.usage = psutil.Process(process.pid)
        self._lines: queue.Queue[str] = queue.Queue()
        self._errors = ""
        self._has_shown_fault = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def says(self, seconds: float = 30) -> str:
        """The next line; a failure when none comes in time, with the stacks of all
        threads, or the script has ended.
        """
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"the script said nothing for {seconds} s\n{self._stacks()}") from None
        assert line, f"the script ended with status {self.process.wait()}: {self.errors()}"
        return line.rstrip("\n")

    def is_told(self, line: str) -> None:
        """Write a line to the script's standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def errors(self) -> str:
        """What it has written to standard error; it must have ended."""
        assert self.process.stderr is not None
        self._errors += self.process.stderr.read()
        return self._errors

    def has_shown_fault(self) -> bool:
        """Whether it has told of a fault of the package; it must have ended."""
        return self._has_shown_fault or shows_fault(self.errors().encode())

    def resident(self) -> int:
        """Its resident memory in bytes."""
        return int(self.usage.memory_info().rss)

    def cpu_seconds(self) -> float:
        """The time that it and the processes it has started have worked so far."""
        times = [process.cpu_times() for process in [self.usage, *self.usage.children()]]
        return float(sum(used.user + used.system for used in times))

    def end(self) -> None:
        """Kill it where it stands."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _stacks(self) -> str:
        """The stacks of all its threads, behind what it has written
        to standard error.
        """
        assert self.process.stderr is not None
        ask_for_stacks(self.process.pid)
        descriptor, written = self.process.stderr.fileno(), b""
        while select.select([descriptor], [], [], 1)[0] and (more := os.read(descriptor, 65536)):
            written += more
        return written.decode(errors="replace")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._has_shown_fault |= shows_fault(line.encode())
            self._lines.put(line)
        self._lines.put("")


@contextmanager
def live(
    cluster: Cluster, folder: Path, script: str, *args: str, shell: Sequence[str] = KAFKATCLSH
) -> Iterator[Live]:
    """Run ``PRELUDE`` and ``script`` with ``args`` beside the test;
    killed at the end, if it still runs.

    A script that has shown a fault of the package fails the test.
    """
    file = folder / "live.tcl"
    file.write_text(PRELUDE + script)
    pipe = subprocess.PIPE
    environment = {
        **os.environ,
        **environment_of(shell),
        "KAFKATCL_TEST_BROKERS": " ".join(cluster.bootstrap),
    }
    command = [*shell, str(file), *args]
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=folder
    ) as process:
        running = Live(process)
        try:
            yield running
        finally:
            running.end()
        assert not running.has_shown_fault(), running.errors()
