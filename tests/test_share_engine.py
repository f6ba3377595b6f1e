"""Share subscribers without Tcl:
what is kept for how long, and clusters that refuse and fail.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Producer
from fix_cluster import Cluster
from fix_engine import Engine, column, engine, until
from fix_mock import Mock
from fix_share import apart, share_group, together

from kafkatcl.engine import pace, share_fetching
from kafkatcl.engine.acquired import Place
from kafkatcl.engine.events import Event
from kafkatcl.engine.messages import Run
from kafkatcl.engine.reports import ClientError
from kafkatcl.engine.share_subscriber import ShareSubscriber
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.client import NativeClient
from kafkatcl.librdkafka.wrapper import Consumer, ShareConsumer

SHARE_GROUP_HEARTBEAT, SHARE_ACKNOWLEDGE = 76, 79  # numbers of kinds of requests
UNSUPPORTED_VERSION, INVALID_RECORD_STATE, TOPIC_AUTHORIZATION_FAILED = 35, 121, 29


@pytest.fixture
def topic(kafka_cluster: Cluster) -> str:
    """A topic with the messages a, b, c, which are fetched together."""
    name = kafka_cluster.topic(1)
    together(kafka_cluster, name, list("abc"))
    return name


@pytest.fixture
def shared(kafka_cluster: Cluster) -> Iterator[Engine]:
    """An engine whose subscribers are members of a new share group."""
    with engine(kafka_cluster, group_id=share_group(kafka_cluster)) as made:
        yield made


def member(made: Engine, topic: str) -> ShareSubscriber:
    found: ShareSubscriber = made.make(ShareSubscriber)
    found.subscribe([topic])
    return found


def fed(cluster: Cluster | Mock, reader: ShareSubscriber, topic: str) -> Run:
    """A message, produced when the reader is a member and has partitions."""
    producer = Producer({"bootstrap.servers": ",".join(cluster.bootstrap)})
    found: list[Run] = []
    while not found:
        producer.produce(topic, "x", partition=0)
        producer.flush()
        item = reader.consume(200)
        found += [item] if isinstance(item, Run) else []
    return found[0]


def seen(item: object) -> tuple[bytes, int]:
    """The payload and the delivery count of a message."""
    assert isinstance(item, Run)
    return column(item, "payload")[0], column(item, "delivery_count")[0]


def events(made: Engine, count: int) -> list[Event]:
    """So many events, taken by a script that is busy with them then."""
    taken: list[Event] = []

    def are_enough() -> bool:
        taken.extend(made.events.take(10))
        return len(taken) >= count

    assert until(are_enough)
    return taken


def errors(made: Engine) -> list[ClientError]:
    return [told for _, told in made.events.take(1000) if isinstance(told, ClientError)]


def test_what_is_not_taken_goes_to_another_member(
    shared: Engine, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = member(shared, topic)
    assert seen(first.consume(10_000)) == (b"a", 1)
    second = member(shared, topic)
    assert second.consume(500) is None
    monkeypatch.setattr(share_fetching, "_KEEP_SECONDS", 0.1)
    assert seen(second.consume(10_000)) == (b"b", 2)
    first.commit(wait=True, timeout_ms=5000)
    assert errors(shared) == []


def test_what_waits_for_a_busy_script_is_taken_back(
    shared: Engine, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the message at which it is busy."""
    first = member(shared, topic)
    first.listen("first")
    events(shared, 1)
    monkeypatch.setattr(share_fetching, "_KEEP_SECONDS", 0.1)
    assert until(lambda: "first" in shared.events.recalled())
    assert len(first.acquired) == 3
    shared.events.answer_recall("first", 2)  # a has run now, b and c do not
    first.listen(None)
    second = member(shared, topic)
    assert [seen(second.consume(10_000)) for _ in range(2)] == [(b"b", 2), (b"c", 2)]
    second.commit(wait=True, timeout_ms=5000)
    assert second.consume(1000) is None
    assert errors(shared) == []


def test_a_member_that_was_idle_for_long_goes_on(kafka_cluster: Cluster) -> None:
    topic, group = kafka_cluster.topic(1), share_group(kafka_cluster)
    apart(kafka_cluster, topic, list("abc"))
    with engine(kafka_cluster, group_id=group, max_poll_interval_ms="500") as made:
        first = member(made, topic)
        assert seen(first.consume(10_000)) == (b"a", 1)
        first.commit(wait=True, timeout_ms=5000)
        time.sleep(1.2)
        assert seen(first.consume(10_000)) == (b"b", 1)


def test_a_batch_may_end_after_its_subscriber(shared: Engine, topic: str) -> None:
    first = member(shared, topic)
    batch = first.consume_batch(2, 10_000)
    first.delete()
    batch.end(1)
    with pytest.raises(Failure, match="was deleted"):
        first.acknowledge(Place(topic, 0, 0), "accept")
    assert seen(member(shared, topic).consume(10_000)) == (b"a", 2)


def test_who_waits_is_told_that_the_subscriber_is_gone(embedded_cluster: Cluster) -> None:
    topic = embedded_cluster.topic()
    with engine(embedded_cluster, group_id="gone") as made:
        reader = member(made, topic)
        # librdkafka never closes a share consumer that is assigned partitions while it
        # leaves its group, so first it gets some.
        fed(embedded_cluster, reader, topic)
        with ThreadPoolExecutor() as pool:
            waits = pool.submit(reader.consume, -1)
            assert until(lambda: reader._waiting == 1)
            reader.delete()
            with pytest.raises(Failure, match="was deleted"):
                waits.result(10)


def test_two_may_wait_at_a_time(kafka_cluster: Cluster, shared: Engine) -> None:
    topic = kafka_cluster.topic(1)
    reader = member(shared, topic)
    with ThreadPoolExecutor() as pool:
        waits = [pool.submit(reader.consume, -1) for _ in range(2)]
        assert until(lambda: reader._waiting == 2)
        apart(kafka_cluster, topic, ["a", "b"])
        assert until(lambda: any(wait.done() for wait in waits))
        reader.commit(wait=True, timeout_ms=5000)
        assert sorted(seen(wait.result(10)) for wait in waits) == [(b"a", 1), (b"b", 1)]


def test_what_was_consumed_does_not_hold_up_a_callback(shared: Engine, topic: str) -> None:
    reader = member(shared, topic)
    assert seen(reader.consume(10_000)) == (b"a", 1)
    reader.listen("reader")
    events(shared, 1)
    shared.events.acknowledge({})
    assert until(lambda: not reader.acquired)
    assert reader.consume(0) is None


def test_a_message_that_is_consumed_beside_a_callback_is_accepted(shared: Engine, topic: str) -> None:
    reader = member(shared, topic)
    reader.listen("reader")
    assert until(lambda: reader.messages.size == 3)
    assert seen(reader.consume(0)) == (b"a", 1)
    assert len(reader.acquired) == 2


def test_a_commit_waits_only_for_what_was_acknowledged_before(shared: Engine, topic: str) -> None:
    first = member(shared, topic)
    first.commit(wait=True, timeout_ms=0)
    assert first.consume(10_000) is not None
    with pytest.raises(Failure, match="Timed out"):
        first.commit(wait=True, timeout_ms=0)
    first.commit(wait=True, timeout_ms=5000)


@pytest.mark.parametrize(("limit", "sizes"), [("500", [1, 4, 16, 19]), ("3", [1, *[3] * 13])])
def test_who_is_quick_fetches_more(
    kafka_cluster: Cluster, monkeypatch: pytest.MonkeyPatch, limit: str, sizes: list[int]
) -> None:
    monkeypatch.setattr(pace, "_QUICK_SECONDS", 10.0)
    topic = kafka_cluster.topic(1)
    apart(kafka_cluster, topic, [str(number) for number in range(40)])
    with engine(kafka_cluster, group_id=share_group(kafka_cluster), max_poll_records=limit) as made:
        reader = member(made, topic)
        fetched: list[int] = []
        while sum(fetched) < 40:
            batch = reader.consume_batch(1000, 10_000)
            fetched.append(batch.size)
            batch.end(0)
    assert fetched == sizes


def test_who_is_slow_fetches_little(kafka_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = kafka_cluster.topic(1)
    apart(kafka_cluster, topic, [str(number) for number in range(10)])
    monkeypatch.setattr(pace, "_QUICK_SECONDS", 0.05)
    monkeypatch.setattr(pace, "_SLOW_SECONDS", 0.1)
    with engine(kafka_cluster, group_id=share_group(kafka_cluster)) as made:
        reader = member(made, topic)
        fetched: list[int] = []
        while sum(fetched) < 10:
            batch = reader.consume_batch(1, 10_000)
            fetched.append(batch.size + reader.messages.size)
            while reader.messages.size:
                batch.end(0)
                time.sleep(0.11)  # the work
                batch = reader.consume_batch(1, 10_000)
            batch.end(0)
    assert fetched == [1, 4, 1, 4]


# -- clusters that refuse --------------------------------------------------------------


@pytest.fixture
def refusing(mock: Mock) -> Iterator[tuple[Mock, Engine]]:
    """A mock cluster with a topic ``t``, and an engine for it."""
    servers = ",".join(mock.bootstrap)
    Producer({"bootstrap.servers": servers}).list_topics("t", timeout=10)
    made = Engine({"bootstrap.servers": servers, "group.id": "g", "log_level": "0"})
    made.master.want("error", True)
    yield mock, made
    for handle in made.handles:
        handle.delete()


def test_a_cluster_without_share_groups_is_told_at_once(refusing: tuple[Mock, Engine]) -> None:
    mock, made = refusing
    mock.fail(SHARE_GROUP_HEARTBEAT, UNSUPPORTED_VERSION)
    reader = member(made, "t")
    for _ in range(2):
        with pytest.raises(Failure, match=r"API version not supported.*make another share subscriber"):
            reader.consume(-1)
    assert [error.code for error in errors(made)] == [UNSUPPORTED_VERSION]


def test_a_callback_is_told_of_it_too(refusing: tuple[Mock, Engine]) -> None:
    mock, made = refusing
    mock.fail(SHARE_GROUP_HEARTBEAT, UNSUPPORTED_VERSION)
    member(made, "t").listen("first")
    assert sorted(callback_id for callback_id, _ in events(made, 2)) == ["first", "m1.error"]


def test_other_errors_come_in_the_place_of_messages(refusing: tuple[Mock, Engine]) -> None:
    mock, made = refusing
    mock.fail(SHARE_GROUP_HEARTBEAT, TOPIC_AUTHORIZATION_FAILED)
    reader = member(made, "t")
    item = reader.consume(10_000)
    assert item is not None
    assert not isinstance(item, Run)
    assert getattr(item, "code", "") == "RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED"
    assert fed(mock, reader, "t")


def test_an_acknowledgement_that_is_refused_is_told(refusing: tuple[Mock, Engine]) -> None:
    mock, made = refusing
    reader = member(made, "t")
    fed(mock, reader, "t")
    mock.fail(SHARE_ACKNOWLEDGE, INVALID_RECORD_STATE)
    with pytest.raises(Failure, match=r"record state is invalid .the acknowledgement of a message"):
        reader.commit(wait=True, timeout_ms=5000)
    assert [error.code for error in errors(made)] == [INVALID_RECORD_STATE]
    reader.commit(wait=True, timeout_ms=5000)


def test_an_outage_is_told_to_who_commits(refusing: tuple[Mock, Engine]) -> None:
    mock, made = refusing
    reader = member(made, "t")
    fed(mock, reader, "t")
    mock.close()
    with pytest.raises(Failure) as failed:
        reader.commit(wait=True, timeout_ms=3000)
    assert failed.value.errorcode[0] == "KAFKA"
    assert until(lambda: "Connection refused" in reader.why())
    assert reader.consume(100) is None


# -- the assumptions -------------------------------------------------------------------


def test_the_client_of_a_share_consumer_is_found() -> None:
    for kind in (ShareConsumer, Consumer):
        client = kind({"group.id": "g", "client.id": f"it-is-{kind.__name__}", "log_level": 0})
        try:
            assert NativeClient(client).name().startswith(f"it-is-{kind.__name__}#consumer-")
        finally:
            client.close()
