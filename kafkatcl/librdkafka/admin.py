"""The wrapper's administrator, apart from its other clients:
only who has one need wait until it is imported.
"""

from __future__ import annotations

from confluent_kafka.admin import AdminClient

__all__ = ["AdminClient"]
