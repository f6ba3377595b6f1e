"""A window that shows the messages of a topic as they come.

    python tk_tail.py ?topic? ?brokers?

Set KAFKATCL_EMBEDDED=1 to run it without a Kafka; what is typed into the entry is
produced.
"""

import sys
import tkinter

from kafkatcl import Interp, Message

topic, brokers = (*sys.argv[1:], *("test", "127.0.0.1")[len(sys.argv) - 1 :])

root = tkinter.Tk()
root.title(f"{topic} at {brokers}")
lines = tkinter.Listbox(root, width=60, height=15)
entry = tkinter.Entry(root)
lines.pack(fill="both", expand=True)
entry.pack(fill="x")
entry.focus()

interp = Interp(root)
interp["topic"], interp["brokers"] = topic, brokers


@interp.command
def arrived(message: Message) -> None:
    """Called from Tk's own event loop."""
    lines.insert("end", message.message if message.error else message.payload.decode("utf-8", "replace"))
    lines.see("end")


def produce(_event: object) -> None:
    """Return was pressed in the entry."""
    interp.call("out", "produce", 0, entry.get().encode())
    entry.delete(0, "end")


entry.bind("<Return>", produce)
interp.eval("""
    package require kafka
    kafka::brokers $brokers
    kafka::topic_producer out $topic
    kafka::topic_consumer in $topic
    in start 0 beginning arrived
""")
root.mainloop()
interp.close()
