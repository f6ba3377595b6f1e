"""Bridge calls for masters."""

from __future__ import annotations

from kafkatcl.bridge.arguments import parse_integer
from kafkatcl.bridge.calls.registry import bridge_call, configured
from kafkatcl.bridge.sessions import find, register
from kafkatcl.engine.master import Master


@bridge_call
def master_create(session: str) -> str:
    """Make a master, with no setting made; its object id."""
    return register(session, "m", Master)


@bridge_call
def master_config(master: str, *settings: str) -> tuple[str, ...] | None:
    """Show or set properties of clients that are made later, and of their topics.

    :returns: without settings all properties of clients, see :func:`configured`; else
        nothing.
    :raises Failure: a property is unknown, or refuses its value; those before it are
        set.
    """
    found = find(master, Master)
    return configured(found.dump, found.configure, settings)


@bridge_call
def master_topic_config(master: str, *settings: str) -> tuple[str, ...] | None:
    """Show or set properties of the topics of clients that are made later.

    Result and errors are as in :func:`master_config`.
    """
    found = find(master, Master)
    return configured(found.topic_conf.dump, found.configure_topics, settings)


@bridge_call
def master_add_brokers(master: str, *brokers: str) -> None:
    """Add bootstrap brokers for clients that are made later, and to those there are.

    :param brokers: ``host`` or ``host:port`` each, or several with commas.
    :raises Failure: there is none; a client can use none of them.
    """
    find(master, Master).add_brokers(list(brokers))


@bridge_call
def master_partitioner(master: str, partitioner: str) -> None:
    """Choose the partitioner for topics of clients that are made later.

    :param partitioner: ``random`` or ``consistent``; Tcl has checked this.
    """
    find(master, Master).partition_by(partitioner)


@bridge_call
def master_logger(master: str, logger: str) -> None:
    """Choose where clients that are made later write their log lines.

    :param logger: ``stderr``, ``syslog``, ``none`` or ``callback``; Tcl has checked
        this.
    """
    find(master, Master).log_to(logger)


@bridge_call
def master_callback(master: str, kind: str, wanted: str) -> str:
    """Say whether the master has a callback of a kind; its callback id.

    :param kind: ``delivery``, ``error``, ``statistics`` or ``logger``.
    """
    found = find(master, Master)
    found.want(kind, wanted == "1")
    return found.callback(kind)


@bridge_call
def master_every(master: str, interval: str | None = None) -> int | None:
    """Set how many delivery reports there are to one that is told, or return it.

    :param interval: an integer: 1 tells all, 0 none, a negative one all; None: return
        the interval.
    """
    reports = find(master, Master).reports
    if interval is None:
        return reports.interval
    reports.set_interval(parse_integer(interval))
    return None


@bridge_call
def master_sample(master: str) -> None:
    """Have the next delivery report told, whatever the interval."""
    find(master, Master).reports.sample()
