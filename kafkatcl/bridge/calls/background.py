"""The bridge call that runs another one in a thread, so that no script waits."""

from __future__ import annotations

import threading

from kafkatcl.bridge.answers import guarded
from kafkatcl.bridge.calls.registry import BRIDGE_CALLS, bridge_call
from kafkatcl.bridge.sessions import events
from kafkatcl.engine.errors import kafka_failure
from kafkatcl.librdkafka.errors import INVALID_ARGUMENT, NO_RESOURCE


@bridge_call
def background(session: str, callback_id: str, name: str, *words: str) -> None:
    """Start a bridge call in a thread of its own; its answer comes as an event.

    The called one may wait, and must not touch Tcl.

    :param callback_id: the callback that gets the answer, a tuple as in
        ``bridge/answers.py``.
    :param name: the bridge call, and ``words`` its arguments.
    :raises Failure: there is no such bridge call; the system has no thread left.
        Errors of the called one are in its answer.
    """
    queue = events(session)
    if name not in BRIDGE_CALLS:
        raise kafka_failure(INVALID_ARGUMENT, f'there is no call "{name}"')
    function = guarded(BRIDGE_CALLS[name])

    def run() -> None:
        queue.post(None, callback_id, function(*words))

    try:
        threading.Thread(target=run, name=f"kafkatcl-{name}", daemon=True).start()
    except RuntimeError as error:
        raise kafka_failure(NO_RESOURCE, f"cannot ask in the background: {error}") from None
