"""Brokers that a client cannot reach: one line when an outage begins and one when it
ends, however many attempts fail.

librdkafka logs each attempt, many in a second, and nothing when a broker works; only
its debug lines tell that.  It leaves identical errors out for a while, and says so in a
debug line as well.
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L357-L360
https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L595-L607
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from kafkatcl.engine.failures import ConnectionFailure, connection_of, failure_of
from kafkatcl.engine.telling import printable
from kafkatcl.librdkafka.logs import LogLine

#: The debug lines that are needed here.
DEBUG = "broker"
_ERROR, _NOTICE, _DEBUG = 3, 5, 7
_FAILS, _TIMEOUTS, _WORKS = "FAIL", "REQTMOUT", "CONNECTED"
_UP = "-> UP"
# https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdkafka_broker.c#L3722-L3728
_DROPPED = "Decommissioning this broker"
_REPEATED = "error log suppressed"

#: How long a broker must work until its outage is over.  A broker that closes all
#: connections seems to work now and then.
_SETTLED_SECONDS = 1.0
#: How long there must be no failed attempt until an outage counts as over where no line
#: tells its end: the client has dropped the broker, or does not tell states.
_QUIET_SECONDS = 30.0
#: How many reasons are told of one outage.
_MAX_REASONS = 3


class _Outage:
    """A broker that cannot be reached; its times are by ``time.monotonic``."""

    def __init__(self, address: str, since: float) -> None:
        self.address = address
        self.since = since
        self.reasons: list[str] = []  # those that were told
        self.reason = ""  # the last one
        self.attempts = 0
        self.failed_at = 0.0
        self.worked_at = 0.0  # 0: it has failed since
        self.is_dropped = False

    def fails(self) -> None:
        self.failed_at, self.worked_at, self.is_dropped = time.monotonic(), 0.0, False
        self.attempts += 1

    def is_told(self) -> bool:
        return bool(self.reasons)

    def is_old(self, now: float, tells_states: bool) -> bool:
        """Whether the outage counts as over although no line says so."""
        return (self.is_dropped or not tells_states) and now - self.failed_at > _QUIET_SECONDS


class Outages:
    """Those of one client; any thread may ask for :meth:`why`."""

    def __init__(self, *, ends_connections: bool = True) -> None:
        """Begin with no outage known.

        :param ends_connections: the client closes a connection on which a request is
            not answered in time, unless socket.max.fails is 0.
        """
        self._lock = threading.Lock()
        self._ends_connections = ends_connections
        self._outages: dict[str, _Outage] = {}
        #: Addresses that the script has named, and where connections for a purpose lead
        #: to.
        self._named: set[str] = set()
        self._purposes: dict[str, str] = {}
        #: Whether the client tells when a broker works.
        self._tells_states = False

    def why(self) -> str:
        """The last error of a broker that cannot be reached, as ``last error: ADDRESS:
        REASON``, or an empty text (any thread).
        """
        now = time.monotonic()
        with self._lock:
            going_on = [
                outage
                for outage in self._outages.values()
                if outage.reason and not outage.worked_at and not outage.is_old(now, self._tells_states)
            ]
        if not going_on:
            return ""
        last = max(going_on, key=lambda outage: outage.failed_at)
        return printable(f"last error: {last.address}: {last.reason}")

    def take(self, line: LogLine) -> list[LogLine] | None:
        """Take note of a line of the client's log (a thread that serves the log).

        :returns: the lines to show in its place, perhaps none; None if the line is
            about no connection, and is to be shown itself.
        """
        if line.level >= _DEBUG:
            self._learn(line)
            return []
        if line.facility == _TIMEOUTS and self._ends_connections:
            return []  # several lines about what the next one says
        if line.facility != _FAILS:
            return None
        failure = failure_of(line.message)
        return None if failure is None else list(self._fails(failure, line.level))

    def ended(self, *, closing: bool = False) -> list[LogLine]:
        """The lines to tell of outages that are over; they are forgotten then.

        A broker must have worked for a second, but where the client is ``closing``.
        """
        now = time.monotonic()
        with self._lock:
            over = [
                outage
                for outage in self._outages.values()
                if outage.is_old(now, self._tells_states)
                or (outage.worked_at and (closing or now - outage.worked_at >= _SETTLED_SECONDS))
            ]
            for outage in over:
                del self._outages[outage.address]
        return [LogLine(_NOTICE, _WORKS, _ending(outage)) for outage in over if outage.is_told()]

    def _fails(self, failure: ConnectionFailure, level: int) -> Iterator[LogLine]:
        """Note a failure; the line to tell, for the first three reasons of an outage.

        A connection that was merely closed is no outage yet, unless that happens again
        or librdkafka calls it an error.
        """
        address = failure.name.address
        with self._lock:
            if failure.purpose:
                self._purposes[failure.purpose] = address
            outage = self._outages.get(address)
            if outage is None:
                outage = self._outages[address] = _Outage(address, time.monotonic())
            outage.fails()
            if failure.is_closed and failure.has_worked:
                return  # the next attempt says whether that was something
            outage.reason = failure.reason
            # librdkafka reports no error when a broker closes the connection; a broker
            # that always does so is out.
            if failure.is_closed and level > _ERROR and outage.attempts < 2:
                return
            if failure.reason not in outage.reasons and len(outage.reasons) < _MAX_REASONS:
                outage.reasons.append(failure.reason)
                yield LogLine(_ERROR, _FAILS, f"{self._shown(failure)}: {failure.reason}; retrying")

    def _learn(self, line: LogLine) -> None:
        """Learn from a debug line."""
        name = connection_of(line.message)
        if name is None:
            return
        with self._lock:
            outage = self._outages.get(self._purposes.get(name.address, name.address))
            if line.facility == "BROKER" and name.is_named:
                self._named.add(name.address)
            elif line.facility == "STATE":
                self._tells_states = True
                if outage and line.message.endswith(_UP):
                    outage.worked_at = time.monotonic()
            elif line.facility == _FAILS and outage:
                if _DROPPED in line.message:
                    outage.is_dropped = True
                elif line.message.endswith(_REPEATED):
                    outage.fails()

    def _shown(self, failure: ConnectionFailure) -> str:
        address, broker = failure.name
        if address in self._named or not failure.name.is_learned:
            return address
        return f"{address} (so the cluster calls broker {broker}, see advertised.listeners)"


def _ending(outage: _Outage) -> str:
    seconds = f"{time.monotonic() - outage.since:.0f} s"
    attempts = "1 failed attempt" if outage.attempts == 1 else f"{outage.attempts} failed attempts"
    if outage.worked_at:
        return f"{outage.address}: works, after {seconds} and {attempts}"
    return f"{outage.address}: is not tried any more, after {seconds} and {attempts}"
