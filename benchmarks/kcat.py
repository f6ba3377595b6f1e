"""Two of the workloads by kcat, a program in C:
whole processes are timed, from start to end.

``kcat.py WORKLOAD ?-option value ...?`` takes the options of workloads.tcl and prints
the same figures.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time

QUEUEING = ["-X", "queue.buffering.max.messages=10000000", "-X", "queue.buffering.max.kbytes=2000000"]


def produce(given: argparse.Namespace) -> None:
    payload = "x" * given.size
    with tempfile.NamedTemporaryFile("w", prefix="kafkatcl-benchmark-") as lines:
        lines.writelines(
            f"key{i}:{payload}\n" if given.key else f"{payload}\n" for i in range(given.messages)
        )
        lines.flush()
        key = ["-K:"] if given.key else []
        report("acknowledged", given, ["-P", "-p", "0", *key, *QUEUEING, "-l", lines.name])


def consume(given: argparse.Namespace) -> None:
    fields = "%s %p %o %T %t %k\n"
    ends = ["-o", "beginning", "-c", str(given.messages)]
    report("rate", given, ["-C", "-q", "-p", "0", *ends, "-f", fields])


def report(name: str, given: argparse.Namespace, options: list[str]) -> None:
    """Run kcat with ``options`` and print how many messages a second that makes."""
    start = time.perf_counter()
    command = ["kcat", "-b", given.brokers, "-t", given.topic, *options]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    rate = given.messages / (time.perf_counter() - start)
    print(json.dumps({"name": name, "value": round(rate, 3), "unit": "messages/s"}))


def about(_given: argparse.Namespace) -> None:
    told = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Version (\S+).*librdkafka (\S+)", told)
    versions = {"kcat": found[1], "librdkafka": found[2]} if found else {"kcat": told}
    print(json.dumps(versions))


WORKLOADS = {"produce": produce, "consume": consume, "about": about}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("-brokers", default="127.0.0.1")
    parser.add_argument("-topic", default="benchmark")
    parser.add_argument("-messages", type=int, default=10_000)
    parser.add_argument("-size", type=int, default=100)
    parser.add_argument("-key", type=int, default=0)
    parser.add_argument("-headers", type=int, default=0)
    given, _others = parser.parse_known_args()
    WORKLOADS[given.workload](given)


if __name__ == "__main__":
    main()
