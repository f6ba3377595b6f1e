"""Bridge calls for producing messages with all that they may have, and for what is
queued.
"""

from __future__ import annotations

from typing import Any

from kafkatcl.bridge.arguments import PARTITIONS, parse_integer
from kafkatcl.bridge.calls.registry import Rows, bridge_call, fast_path, list_call
from kafkatcl.bridge.outgoing import Uncertain, header_names, one_outgoing, outgoing
from kafkatcl.bridge.records import callback_argument
from kafkatcl.bridge.sessions import events, find, objects
from kafkatcl.bridge.texts import echoed
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.engine.flushing import flush, take_reports
from kafkatcl.engine.handle import Handle
from kafkatcl.engine.process import in_loading_process
from kafkatcl.engine.producer import ProducerHandle
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.sending import send, send_all
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT

#: What :func:`produce_messages` answers where it has to be called again.
_AGAIN = ("again",)


@bridge_call
def produce_message(topic: str, partition: str, prefix: str, count: str, *words: str) -> None:
    """Queue one message; a full queue is waited for, up to ``max.block.ms``.

    :param prefix: the command that its report goes to; empty for the callback of the
        master.
    :param count: how many words are names and values of ``bridge/outgoing.py``; those
        behind are the names and values of headers.
    :raises Failure: a word cannot be sent; or librdkafka refuses the message.
    """
    named = int(count)
    found = find(topic, ProducerTopic)
    messages = one_outgoing((*words[:named], "headers", words[named:]), partition, found.encoding)
    send(found, messages, echoed(prefix))


@fast_path
def try_produce_headers(topic: str, keys: str, partition: str, payload: str, *words: str) -> int:
    """Queue one message with headers where nothing is unusual; else do nothing.

    As in :func:`try_produce`, every step counts.

    :param keys: ``1`` if the first of the words is the key; the others are names and
        values.
    :returns: 1 if the message was queued; 0 if :func:`produce_message` is to be called,
        which finds out what is wrong.
    """
    try:
        found = objects[topic]
        if found.handle.deleted or found.encoding or not in_loading_process[0] or len(words) % 2 != int(keys):
            return 0
        key = words[0].encode("latin-1") if keys == "1" else None
        if key is not None:
            words = words[1:]
        headers = (header_names[words[::2]], tuple([value.encode("latin-1") for value in words[1::2]]))
        message = (PARTITIONS[partition], payload.encode("latin-1"), key, 0, headers, None)
        return 0 if found.send_message(message) else 1
    except BaseException:  # ``produce_message`` finds the error
        return 0


@list_call
def produce_messages(topic: str, partition: str, prefix: str, is_certain: str, rows: Rows) -> tuple[Any, ...]:
    """Queue messages in their order; one that is refused does not hold up the others,
    but for a full queue, which is waited for, up to ``max.block.ms``.

    :param partition: that of all messages; empty for that which each one names, and
        else -1.
    :param rows: names and values of each message, see ``bridge/outgoing.py``.
    :param is_certain: ``1`` if bytes in them are what the script sees.
    :returns: nothing if all are queued; ``("again",)`` if nothing was, since a value's
        string is not certain or something is no dict; else the text and the errorCode
        of an error, and behind it for each message an empty tuple or those of its own.
    :raises Failure: a message cannot be sent as it is, and nothing is queued.
    """
    found = find(topic, ProducerTopic)
    found.handle.check()
    certain = is_certain == "1"
    sizes = set(map(len, rows))
    if any(size % 2 for size in sizes) or (not certain and (not sizes or 0 in sizes)):
        return _AGAIN
    try:
        messages = outgoing(rows, partition=partition, is_certain=certain, encoding=found.encoding)
    except Uncertain:
        return _AGAIN
    outcome = send_all(found, messages, echoed(prefix))
    return tuple((echoed(failure.message), failure.errorcode) if failure else () for failure in outcome)


@bridge_call
def handle_flush(handle: str, timeout_ms: str, until_reports: str) -> int:
    """Wait until all messages of a producer are delivered, or have failed.

    :param until_reports: ``1``: and no longer than until there are reports to tell.
    :returns: how many are left.
    :raises Failure: the handle is no producer.
    """
    return flush(_producer(handle), parse_integer(timeout_ms), until_reports=until_reports == "1")


@bridge_call
def handle_purge(handle: str, queued: str, in_flight: str) -> None:
    """Give messages of a producer up; their reports tell it.

    :param queued: ``1``: those that were not sent yet.
    :param in_flight: ``1``: those that were sent and not acknowledged.
    :raises Failure: the handle is no producer.
    """
    _producer(handle).purge(queued=queued == "1", in_flight=in_flight == "1")


@bridge_call
def events_take_reports(session: str, handle: str, max_count: str) -> tuple[Any, ...]:
    """Take the delivery reports of a producer that wait, as :func:`events_take` takes
    all events.
    """
    taken = take_reports(events(session), _producer(handle), int(max_count))
    return tuple((callback_id, callback_argument(told)) for callback_id, told in taken)


def _producer(handle: str) -> ProducerHandle:
    found = find(handle, Handle)
    if not isinstance(found, ProducerHandle):
        raise kafka_failure(INVALID_ARGUMENT, f"{found.name} is no producer")
    return found
