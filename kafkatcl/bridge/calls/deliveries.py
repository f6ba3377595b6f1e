"""Bridge calls for who wants to know whether all was delivered."""

from __future__ import annotations

from kafkatcl.bridge.calls.registry import bridge_call, one_way
from kafkatcl.bridge.sessions import find, forget, objects, register
from kafkatcl.engine.delivery import Delivery
from kafkatcl.engine.producer_topic import ProducerTopic


@bridge_call
def delivery_begin(topic: str) -> str:
    """From now on note what fails of a topic's messages; an object id.

    :param topic: of a topic to produce to.
    """
    found = find(topic, ProducerTopic)
    found.handle.check()
    return register(topic, "d", lambda _: Delivery(found))


@one_way
def delivery_patient(delivery: str, wanted: str) -> None:
    """Have what is produced to the handle wait for room, or no longer."""
    found = objects.get(delivery)
    if isinstance(found, Delivery):
        found.be_patient(wanted == "1")


@bridge_call
def delivery_end(delivery: str) -> None:
    """Wait until all is delivered, as long as at the end of a program.

    :raises Failure: some messages failed, or are still queued.
    """
    found = forget(delivery)
    if isinstance(found, Delivery):
        found.wait()
