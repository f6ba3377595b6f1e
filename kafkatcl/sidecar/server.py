"""The sidecar's work: take frames, call bridge calls, answer."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Callable

from kafkatcl import stacks
from kafkatcl.bridge import sessions
from kafkatcl.bridge.answers import guarded
from kafkatcl.bridge.arguments import parse_integer
from kafkatcl.bridge.calls import BRIDGE_CALLS, LIST_CALLS
from kafkatcl.bridge.outgoing import with_headers
from kafkatcl.engine.losses import has_lost
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.sending import send_granted
from kafkatcl.engine.shutdown import gave_up, give_up, shutdown
from kafkatcl.librdkafka.batches import OutgoingBatch
from kafkatcl.sidecar.answers import answer_frame, frame, joined
from kafkatcl.sidecar.credit import Credit, Creditor
from kafkatcl.sidecar.hello import hello
from kafkatcl.sidecar.protocol import Body, Kind, Op
from kafkatcl.sidecar.requests import frames, listed, produced, produced_batch, produced_headers, words
from kafkatcl.sidecar.terminal import foreground

#: After how many unanswered messages in a row the sidecar lets some gather before it
#: reads on, and how long.
_ROW = 100
_GATHERING_SECONDS = 0.0005


def serve() -> None:
    """Serve the interpreter at the other end of standard input and output, and exit.

    The end is when the interpreter closes them or says so.  The status is 1 if messages
    were lost.
    """
    gc.freeze()
    gc.enable()
    stacks.watch()
    server = Server(*_own_descriptors())
    # These signals end the interpreter, if it does not handle them; the sidecar still
    # has to deliver then, and sees the end of the pipe.
    for number in (signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGINT, _give_up)
    signal.signal(signal.SIGTERM, server.end)
    ProducerHandle.on_refusing = server.revoke
    server.run()
    with foreground():
        shutdown()
    server.close()
    sys.exit(int(has_lost()))


def _give_up(_signal: int, _frame: Any) -> None:
    """Ctrl-C: end the wait for messages to be delivered; at other times do nothing."""
    give_up()


def _own_descriptors() -> tuple[int, int]:
    """The descriptors to read and to write frames.

    Whatever else is written to standard output goes to standard error from now on.
    """
    writing = os.dup(1)
    os.dup2(2, 1)
    return 0, writing


class Server:
    """Executes what comes from one interpreter, in its order.

    The thread that reads writes the answers; any thread may ring.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._lock = threading.Lock()
        self._creditor = Creditor()
        self._is_answering = False
        self._is_done = False
        self._unanswered = 0  # messages in a row that were produced without an answer
        self._functions: dict[str, Callable[..., Any]] = {
            name: guarded(function)
            for name, function in {**BRIDGE_CALLS, **self._sessions(), **self._granting()}.items()
        }
        self._produce = guarded(self._produce_one)
        self._produce_batch = guarded(self._produce_several)
        self._operations: dict[int, Callable[[Any], None]] = {
            Op.CALL: self._on_call,
            Op.ONE_WAY: self._on_one_way,
            Op.PRODUCE: self._on_produce,
            Op.PRODUCE_UNANSWERED: self._on_produce_unanswered,
            Op.PRODUCE_BATCH: self._on_produce_batch,
            Op.LIST_CALL: self._on_list_call,
            Op.PRODUCE_HEADERS: self._on_produce_headers,
        }

    def run(self) -> None:
        """Execute frames until the interpreter ends, or this process is told to."""
        self._send(answer_frame((0, hello(self._functions)), long=sys.maxsize))
        threading.Thread(target=self._watch, name="kafkatcl-watch", daemon=True).start()
        for op, body in frames(self._reading, self._gather):
            if op == Op.BYE:
                break
            with suppress(KeyboardInterrupt):
                self._operations[op](body)
        self._is_done = True

    def end(self, _signal: int = 0, _frame: Any = None) -> None:
        """Execute what was sent already, and end; interrupt a call that waits.

        This is the handler of SIGTERM.  From here on a read that finds nothing is the
        end.

        :raises KeyboardInterrupt: out of the call that is being answered.
        """
        os.set_blocking(self._reading, False)
        if self._is_answering:
            raise KeyboardInterrupt

    def revoke(self, handle: ProducerHandle) -> None:
        """Take back all that was granted for a producer (any thread)."""
        self._send(frame(Kind.REVOKED, handle.object_id.encode()))

    def close(self) -> None:
        """Tell the interpreter whether messages were lost, and close the pipe to it."""
        if gave_up():
            self._send(frame(Kind.INTERRUPTED))
        elif has_lost():
            self._send(frame(Kind.LOST))
        with self._lock:
            os.close(self._writing)
            self._writing = os.open(os.devnull, os.O_WRONLY)

    # -- operations --------------------------------------------------------------------

    def _on_call(self, body: Body) -> None:
        name, *arguments = words(body)
        self._answer(self._functions[name], *arguments)

    def _on_one_way(self, body: Body) -> None:
        name, *arguments = words(body)
        self._functions[name](*arguments)

    def _on_produce(self, body: Body) -> None:
        self._answer(self._produce, *produced(body))

    def _on_produce_batch(self, body: Body) -> None:
        self._answer(self._produce_batch, *produced_batch(body))

    def _on_list_call(self, body: Body) -> None:
        (name, *arguments), rows = listed(body)
        self._answer(self._functions[name], *arguments, rows)

    def _on_produce_unanswered(self, row: tuple[str, int, OutgoingBatch]) -> None:
        name, partition, batch = row
        self._unanswered += len(batch)
        sessions.objects[name].produce_granted(partition, batch)

    def _on_produce_headers(self, body: Body) -> None:
        name, partition, data, headers = produced_headers(body)
        self._unanswered += 1
        send_granted(sessions.objects[name], with_headers(partition, data, headers))

    def _produce_one(self, name: str, partition: int, payload: bytes, key: bytes | None) -> Credit:
        topic = sessions.find(name, ProducerTopic)
        topic.produce(partition, payload, key)
        return self._creditor.grant(topic, partition)

    def _produce_several(self, name: str, partition: int, batch: OutgoingBatch) -> Credit:
        topic = sessions.find(name, ProducerTopic)
        topic.produce_batch(partition, [batch])
        return self._creditor.grant(topic, partition)

    def _granting(self) -> dict[str, Callable[..., Any]]:
        """Bridge calls that queue messages: a grant comes with what they return."""

        def granting(call: Callable[..., Any]) -> Callable[..., Any]:
            def produce(name: str, partition: str, *more: Any) -> tuple[Any, ...]:
                value = call(name, partition, *more)
                number = parse_integer(partition or "-1")
                return (*self._creditor.grant(sessions.find(name, ProducerTopic), number), value or ())

            return produce

        return {
            "produce_message": granting(BRIDGE_CALLS["produce_message"]),
            "produce_messages": granting(LIST_CALLS["produce_messages"]),
        }

    def _sessions(self) -> dict[str, Callable[..., Any]]:
        def ring(session: str) -> None:
            self._send(frame(Kind.BELL, session.encode()))

        def ring_back(session: str) -> None:
            self._send(frame(Kind.BELL_BACK, session.encode()))

        return {
            "open_session": lambda: sessions.open_session(ring, ring_back),
            "close_session": lambda session: tuple(sessions.close_session(session)),
        }

    # -- inside ------------------------------------------------------------------------

    def _gather(self) -> None:
        """In a row of unanswered messages let some come together before reading on.

        To be woken for each message would slow down both sides.
        """
        if self._unanswered > _ROW:
            time.sleep(_GATHERING_SECONDS)

    def _answer(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._is_answering = True
        self._unanswered = 0
        try:
            value = function(*arguments)
        finally:
            self._is_answering = False
        self._send(answer_frame(value))

    def _send(self, parts: list[bytes]) -> None:
        with self._lock, suppress(BrokenPipeError):  # the end of the other pipe says that nobody reads
            for part in joined(parts):
                view = memoryview(part)
                while view:
                    view = view[os.write(self._writing, view) :]

    def _watch(self) -> None:
        """Interrupt calls that wait when nobody is left to be answered.

        Nothing is asked of poll(), which always tells of the end of a pipe (POLLHUP):
        https://man7.org/linux/man-pages/man2/poll.2.html
        """
        poll = select.poll()
        poll.register(self._reading, 0)
        poll.poll()
        while not self._is_done:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            time.sleep(0.1)
