"""A Python program with Tcl and Kafka in it:
Python produces, a Tcl script consumes, Python gets the messages.

    python host.py ?topic? ?brokers?

Set KAFKATCL_EMBEDDED=1 to run it without a Kafka.
"""

import sys

from kafkatcl import Interp, Message

topic, brokers = (*sys.argv[1:], *("test", "127.0.0.1")[len(sys.argv) - 1 :])

SCRIPT = """
package require kafka
kafka::brokers $brokers
kafka::topic_producer out $topic
kafka::topic_consumer in $topic
"""

with Interp() as interp:
    interp["topic"], interp["brokers"] = topic, brokers
    interp.eval(SCRIPT)

    for number in range(3):
        interp.call("out", "produce", 0, f"message {number}".encode(), b"from Python")
    while interp.call("kafka::producer", "output_queue_length", to=int):
        interp.call("kafka::producer", "poll", 100)

    received = []

    @interp.command
    def arrived(message: Message) -> None:
        """The callback: payload and key are bytes."""
        received.append(message.payload)
        interp["arrivals"] = len(received)

    interp.call("in", "start", 0, -3, "arrived")
    while len(received) < 3 and interp.vwait("arrivals", timeout=30):
        pass
    print(received)
