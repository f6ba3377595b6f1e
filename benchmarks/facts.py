"""What the figures depend on: the machine, and the versions of all that took part."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cluster import Cluster
from benchmarks.peers import Peer, PeerError


def facts(peers: Sequence[Peer], cluster: Cluster, seconds: float) -> dict[str, Any]:
    """All of it; PeerError with the name of a peer that does not run."""
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory GiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "Kafka": cluster.kind,
        "peers": {peer.name: _about(peer, seconds) for peer in peers},
    }


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _about(peer: Peer, seconds: float) -> dict[str, str]:
    try:
        return peer.about(seconds)
    except PeerError as error:
        raise PeerError(f"{peer.name} {error}") from None
