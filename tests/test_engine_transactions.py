"""The transactions of the engine, with a cluster that answers with errors."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fix_engine import Engine, batch_of, engine, until
from fix_mock import Mock

from kafkatcl.engine.handover import Handover
from kafkatcl.engine.positions import OffsetAndMetadata, TopicPartitionOffset
from kafkatcl.engine.producer_topic import ProducerTopic
from kafkatcl.engine.shutdown import is_finished
from kafkatcl.engine.subscriber import Subscriber
from kafkatcl.engine.transactions import State
from kafkatcl.errors import Failure
from kafkatcl.librdkafka.errors import PURGED_IN_QUEUE

# Numbers of kinds of requests, and of errors: https://kafka.apache.org/protocol.html
PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END, COMMIT_OFFSETS = 0, 24, 25, 26, 28
CONCURRENT, FENCED, OLD_EPOCH, ILLEGAL_GENERATION, MSG_SIZE_TOO_LARGE = 51, 90, 47, 22, 10
TOPIC = "transactions"

# What the wrapper warns of where a producer that was fenced is closed.
pytestmark = pytest.mark.filterwarnings("ignore:Producer abort_transaction failed")


@pytest.fixture
def running(mock: Mock) -> Iterator[Engine]:
    """An engine on the mock cluster."""
    mock.create_topic(TOPIC)
    settings = {
        "bootstrap.servers": ",".join(mock.bootstrap),
        "group.id": "g",
        "enable.auto.commit": "false",
        "fetch.wait.max.ms": "10",
    }
    with engine(None, **settings) as made:
        yield made


def transactional(running: Engine) -> ProducerTopic:
    """A topic of a producer that has transactions."""
    running.master.configure("transactional.id", "t")
    topic = running.producing_to(TOPIC)
    running.master.configure("transactional.id", "")
    return topic


@pytest.fixture
def topic(running: Engine) -> ProducerTopic:
    """A topic of a producer in a transaction."""
    topic = transactional(running)
    topic.handle.transactions.init()
    topic.handle.transactions.begin()
    return topic


def word(caught: pytest.ExceptionInfo[Failure]) -> str:
    """The last word of an errorCode: how to go on."""
    return caught.value.errorcode[-1]


def test_what_is_retriable_is_retried(topic: ProducerTopic, mock: Mock) -> None:
    topic.produce(0, b"x")
    mock.fail(END, CONCURRENT, 3)
    topic.handle.transactions.commit()
    topic.handle.transactions.begin()


def test_a_commit_that_has_no_time_goes_on(topic: ProducerTopic, mock: Mock) -> None:
    transactions = topic.handle.transactions
    mock.set_round_trip(300)
    topic.produce(0, b"x")
    with pytest.raises(Failure, match="1 message") as caught:
        transactions.commit(0)
    assert word(caught) == "retriable"
    for other in (transactions.begin, transactions.abort):
        with pytest.raises(Failure, match="the last commit has not come to its end"):
            other()
    mock.set_round_trip(0)
    transactions.open(None)
    transactions.commit()


def test_an_abort_that_has_no_time_is_ended_by_the_next_transaction(topic: ProducerTopic, mock: Mock) -> None:
    transactions = topic.handle.transactions
    topic.produce(0, b"x")
    assert until(lambda: len(topic.handle.client) == 0)
    mock.set_round_trip(300)
    with pytest.raises(Failure) as caught:
        transactions.abort(0)
    assert word(caught) == "retriable"
    with pytest.raises(Failure, match="the last abort has not come to its end"):
        transactions.begin()
    mock.set_round_trip(0)
    transactions.open(None)
    transactions.abort()


def test_a_message_that_fails_breaks_its_transaction(topic: ProducerTopic, mock: Mock) -> None:
    transactions = topic.handle.transactions
    mock.fail(PRODUCE, MSG_SIZE_TOO_LARGE)
    topic.produce(0, b"x")
    with pytest.raises(Failure, match="Message size too large") as caught:
        transactions.commit()
    assert word(caught) == "abortable"
    with pytest.raises(Failure, match=r"Message size too large|the transaction has failed"):
        transactions.commit()
    transactions.abort()
    transactions.open(None)
    transactions.commit()
    assert topic.handle.losses.total == 0  # the script was told


def test_a_message_that_was_refused_unseen_breaks_its_transaction(topic: ProducerTopic) -> None:
    transactions = topic.handle.transactions
    topic.produce(0, b"x")
    topic.produce_granted(0, batch_of(bytes(2_000_000), b"y"))
    with pytest.raises(Failure, match="1 message was not delivered") as caught:
        transactions.commit()
    assert caught.value.code == MSG_SIZE_TOO_LARGE
    assert word(caught) == "abortable"
    transactions.abort()
    assert topic.handle.losses.total == 0


def test_a_producer_that_was_fenced_is_to_be_made_anew(topic: ProducerTopic, mock: Mock) -> None:
    transactions = topic.handle.transactions
    topic.produce(0, b"x")
    assert until(lambda: len(topic.handle.client) == 0)
    mock.fail(END, FENCED)
    for call in (
        transactions.commit,
        transactions.abort,
        transactions.begin,
        lambda: transactions.open(None),
    ):
        with pytest.raises(Failure, match="delete it and make a new one") as caught:
            call()
        assert word(caught) == "fatal"


def test_an_abort_right_behind_a_commit_is_not_fatal(topic: ProducerTopic, mock: Mock) -> None:
    """librdkafka asks for the end of a transaction that the cluster does not know."""
    mock.fail(ADD_PARTITIONS, CONCURRENT, 3)
    topic.produce(0, b"x")
    topic.handle.transactions.abort()
    topic.handle.transactions.begin()


def test_one_command_at_a_time(topic: ProducerTopic, mock: Mock) -> None:
    transactions = topic.handle.transactions
    with transactions._command(), pytest.raises(Failure, match="another command about transactions"):
        transactions.commit()


def test_reports_tell_of_messages_that_were_aborted(
    running: Engine, mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kafkatcl.engine.transaction_calls._REGISTER_SECONDS", 0)
    running.master.wanted.add("delivery")
    topic = transactional(running)
    topic.handle.transactions.init()
    topic.handle.transactions.begin()
    mock.set_round_trip(300)
    topic.produce(0, b"x")
    topic.handle.transactions.abort()
    [(_, report)] = running.events.take(10)
    assert (report.payload, report.code) == (b"x", PURGED_IN_QUEUE)


# -- subscribers -----------------------------------------------------------------------


@pytest.fixture
def member(running: Engine) -> Subscriber:
    """A subscriber to a partition of ten messages."""
    running.fill(TOPIC, 0, 10)
    subscriber = running.subscriber()
    subscriber.assign([TopicPartitionOffset(TOPIC, 0, 0)])
    return subscriber


def taken(subscriber: Subscriber, count: int) -> list[int]:
    """The offsets of the next messages of a subscriber."""
    batch = subscriber.messages.batch(count, 10_000)
    batch.end(0)
    return [offset for item in batch.items for offset in range(item.first, item.last + 1)]  # type: ignore[union-attr]


def position(subscriber: Subscriber) -> int:
    """The next offset that it will hand over."""
    return subscriber.read_positions([TopicPartitionOffset(TOPIC, 0)])[0].offset


def test_what_is_not_committed_comes_again(member: Subscriber) -> None:
    assert taken(member, 3) == [0, 1, 2]
    Handover(member).go_back()
    assert position(member) == 0
    assert taken(member, 2) == [0, 1]
    handed = Handover(member).handed_over()
    assert list(handed.positions) == [TopicPartitionOffset(TOPIC, 0, 2)]
    assert taken(member, 2) == [2, 3]
    handed.member.settle(handed.positions)
    Handover(member).go_back()
    assert taken(member, 8) == [*range(2, 10)]
    assert list(Handover(member).handed_over([TopicPartitionOffset(TOPIC, 0, 7)]).positions) == [
        (TOPIC, 0, 7)
    ]


def test_what_the_script_has_in_hand_and_what_is_paused_comes_again(member: Subscriber) -> None:
    batch = member.messages.batch(4, 10_000)
    member.pause([TopicPartitionOffset(TOPIC, 0)])
    Handover(member).go_back()  # nothing was handed over yet
    batch.end(1)
    assert position(member) == 3
    batch = member.messages.batch(1, 300)
    assert batch.size == 0
    Handover(member).go_back()
    member.resume([TopicPartitionOffset(TOPIC, 0)])
    assert taken(member, 10) == [*range(10)]
    batch = member.messages.batch(4, 0)
    Handover(member).go_back()
    batch.end(2)  # was of before, and counts for nothing
    assert position(member) == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("enable.auto.commit", "1", "commits by itself"),
        ("isolation.level", "read_uncommitted", "for commits"),
    ],
)
def test_a_subscriber_with_which_messages_could_come_twice_is_refused(
    name: str, value: str, words: str, running: Engine
) -> None:
    running.master.configure(name, value)
    with pytest.raises(Failure, match=words):
        Handover(running.subscriber()).handed_over()


def test_a_commit_of_the_group_settles_too(member: Subscriber) -> None:
    taken(member, 3)
    member.commit([], wait=True)
    taken(member, 2)
    Handover(member).go_back()
    assert taken(member, 1) == [3]


def test_a_partition_that_was_taken_away_cannot_be_committed(
    member: Subscriber, topic: ProducerTopic
) -> None:
    taken(member, 3)
    member.assign([])
    with pytest.raises(Failure, match=f"partition 0 of topic '{TOPIC}'") as caught:
        Handover(member).handed_over()
    assert word(caught) == "abortable"
    Handover(member).go_back()
    assert Handover(member).handed_over().positions == []


def test_a_member_that_the_group_has_put_out_cannot_commit(
    member: Subscriber, topic: ProducerTopic, mock: Mock
) -> None:
    transactions = topic.handle.transactions
    taken(member, 3)
    mock.fail(COMMIT_OFFSETS, ILLEGAL_GENERATION)
    with pytest.raises(Failure) as caught:
        transactions.send_offsets(Handover(member).handed_over())
    assert caught.value.code == ILLEGAL_GENERATION
    assert word(caught) == "abortable"
    transactions.abort()
    assert taken(member, 1) == [0]


@pytest.mark.parametrize("end", ["deleted", "fenced", "fenced early"])
def test_a_subscriber_goes_back_to_what_is_committed_where_the_end_is_not_known(
    end: str, running: Engine, member: Subscriber, topic: ProducerTopic, mock: Mock
) -> None:
    member.commit([OffsetAndMetadata(TopicPartitionOffset(TOPIC, 0, 2))], wait=True)
    taken(member, 5)
    transactions = topic.handle.transactions
    if end == "fenced early":
        mock.fail(ADD_OFFSETS, OLD_EPOCH)
        with pytest.raises(Failure) as caught:
            transactions.send_offsets(Handover(member).handed_over())
        assert word(caught) == "fatal"
    else:
        transactions.send_offsets(Handover(member).handed_over())
    if end == "deleted":
        topic.handle.delete()
    elif end == "fenced":
        topic.produce(0, b"x")
        mock.fail(END, FENCED)
        with pytest.raises(Failure) as caught:
            transactions.commit()
        assert word(caught) == "fatal"
    assert position(member) == 5
    transactions = transactional(running).handle.transactions
    with pytest.raises(Failure, match="back to what the group has committed") as caught:
        transactions.open(Handover(member))
    assert word(caught) == "abortable"
    assert taken(member, 1) == [2]
    transactions.open(Handover(member))
    transactions.abort()


def test_a_handle_that_is_deleted_aborts(topic: ProducerTopic) -> None:
    topic.produce(0, b"x")
    begin = time.monotonic()
    topic.handle.delete()
    assert until(lambda: is_finished(topic.handle.events))
    assert time.monotonic() - begin < 3
    assert topic.handle.transactions._state is State.CLOSED
    assert topic.handle.losses.total == 0
