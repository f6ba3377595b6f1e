"""Bridge calls for masters."""

from __future__ import annotations

from kafkatcl.bridge.arguments import parse_integer
from kafkatcl.bridge.calls.registry import bridge_call, configured
from kafkatcl.bridge.sessions import find, register
from kafkatcl.engine.master import Master


@bridge_call
def master_create(session: str) -> str:
    return register(session, "m", Master)


@bridge_call
def master_config(master: str, *settings: str) -> tuple[str, ...] | None:
    found = find(master, Master)
    return configured(found.dump, found.configure, settings)


@bridge_call
def master_topic_config(master: str, *settings: str) -> tuple[str, ...] | None:
    found = find(master, Master)
    return configured(found.topic_conf.dump, found.configure_topics, settings)


@bridge_call
def master_add_brokers(master: str, *brokers: str) -> None:
    find(master, Master).add_brokers(list(brokers))


@bridge_call
def master_partitioner(master: str, partitioner: str) -> None:
    find(master, Master).partition_by(partitioner)


@bridge_call
def master_logger(master: str, logger: str) -> None:
    find(master, Master).log_to(logger)


@bridge_call
def master_callback(master: str, kind: str, wanted: str) -> str:
    """Say whether there is a callback of a kind (``1`` or ``0``); its callback id."""
    found = find(master, Master)
    found.want(kind, wanted == "1")
    return found.callback(kind)


@bridge_call
def master_every(master: str, interval: str | None = None) -> int | None:
    reports = find(master, Master).reports
    if interval is None:
        return reports.interval
    reports.set_interval(parse_integer(interval))
    return None


@bridge_call
def master_sample(master: str) -> None:
    find(master, Master).reports.sample()
