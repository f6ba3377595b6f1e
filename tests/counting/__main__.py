"""``PYTHONPATH=tests python -m counting``:
trials by hand, on three nodes of a real Kafka.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from fix_kafka_nodes import KafkaNodes
from fix_kafka_three import ThreeNodes

from counting.faults import FAULTS, at_random
from counting.trial import SHELLS, Plan, run


def main() -> int:
    """Run, and say how it went; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m counting", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same does the same")
    parser.add_argument(
        "--rounds", type=int, default=12, help="trials, each with a topic and clients of its own"
    )
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), help="which may happen")
    parser.add_argument("--each", type=int, default=1, help="how many faults happen in a trial")
    parser.add_argument("--shells", nargs="+", choices=SHELLS, default=list(SHELLS))
    parser.add_argument("--messages", type=int, default=Plan.messages, help="of each producer, in a trial")
    parser.add_argument("--size", type=int, default=Plan.size, help="bytes of a payload")
    parser.add_argument("--rate", type=int, default=Plan.rate, help="messages a second of each producer")
    options = parser.parse_args()
    plan = Plan(options.shells, options.messages, options.size, options.rate)
    wrong = 0
    server = KafkaNodes()
    try:
        for number in range(options.rounds):
            seed = options.seed + number
            begin = time.monotonic()
            with (
                tempfile.TemporaryDirectory(prefix="counting-") as folder,
                ThreeNodes(server.address) as nodes,
            ):
                happens = at_random(nodes, plan.partitions, seed, options.faults, options.each)
                found = run(nodes, Path(folder), plan, happens)
            wrong += bool(found.wrong())
            lines = [f"seed {seed}, {time.monotonic() - begin:.0f} s", *nodes.log, *str(found).splitlines()]
            print("\n    ".join(lines), flush=True)
    finally:
        server.stop()
    print(f"{wrong} of {options.rounds} rounds with anomalies")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
