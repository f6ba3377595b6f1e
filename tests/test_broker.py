"""The embedded broker: the mock cluster, its use inside a process, and
``kafkatcl broker`` as a process.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from kafkatcl import relay
from kafkatcl.engine import embedded
from kafkatcl.errors import Failure
from kafkatcl.librdkafka import mock
from kafkatcl.librdkafka.mock import MockCluster

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
ON_LINUX = sys.platform == "linux"


def consumer(bootstrap: str, **settings: object) -> Consumer:
    """A consumer that reads from the start and does not wait at the end
    of a partition.
    """
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "g",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
            **settings,
        }
    )


def round_trip(
    bootstrap: str, topic: str = "orders", count: int = 20
) -> list[tuple[bytes | None, bytes | None]]:
    """Produce ``count`` messages with keys,
    and give what a consumer group then reads, sorted.
    """
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    for number in range(count):
        producer.produce(topic, value=b"v\x00\xff%d" % number, key=b"k%d" % number)
    assert producer.flush(10) == 0
    reader = consumer(bootstrap)
    reader.subscribe([topic])
    try:
        messages = reader.consume(count, timeout=20)
        assert [m.error() for m in messages] == [None] * count
        return sorted((m.key(), m.value()) for m in messages)
    finally:
        reader.close()


def partitions(bootstrap: str, topic: str) -> int:
    """The partition count of a topic, made by asking for it."""
    return len(
        Producer({"bootstrap.servers": bootstrap}).list_topics(topic, timeout=10).topics[topic].partitions
    )


def shares_of_two_members(deadline: float, session_timeout_ms: int) -> list[int]:
    """How many of four partitions each of two members gets that subscribe
    in a row, ``deadline`` in s.
    """
    with MockCluster() as cluster, contextlib.ExitStack() as open_members:
        cluster.create_topic("t", 4)
        settings = {"session.timeout.ms": session_timeout_ms}
        members = [consumer(cluster.bootstrap[0], **settings) for _ in range(2)]
        for member in members:
            open_members.callback(member.close)
            member.subscribe(["t"])
            member.poll(0.05)  # so that they do not arrive in the same instant
        end = time.monotonic() + deadline
        shares: list[int] = []
        while shares != [2, 2] and time.monotonic() < end:
            for member in members:
                member.poll(0.02)
            shares = [len(member.assignment()) for member in members]
        return shares


def listening_addresses(pid: int) -> list[str]:
    """The addresses (as the kernel prints them) on which a process listens
    for TCP connections.
    """
    links = (Path(f"/proc/{pid}/fd") / name for name in os.listdir(f"/proc/{pid}/fd"))
    sockets = set()
    for link in links:
        with contextlib.suppress(OSError):
            sockets.add(os.readlink(link))
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


@contextlib.contextmanager
def broker_process(*arguments: str, **options: Any) -> Iterator[Any]:
    """``kafkatcl broker`` running; gives the process,
    its bootstrap line in ``.bootstrap``.
    """
    command = [sys.executable, "-m", "kafkatcl", "broker", *arguments]
    pipes: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": ENVIRONMENT,
        "text": True,
    }
    process: Any
    with subprocess.Popen(command, **pipes, **options) as process:
        try:
            process.bootstrap = process.stdout.readline().rstrip("\n")
            assert process.bootstrap, process.stderr.read()
            yield process
        finally:
            process.kill()


class TestMockCluster:
    def test_messages_come_back_byte_for_byte(self) -> None:
        with MockCluster() as cluster:
            expected = sorted((b"k%d" % n, b"v\x00\xff%d" % n) for n in range(20))
            assert round_trip(",".join(cluster.bootstrap)) == expected

    @pytest.mark.parametrize("brokers", [1, 3, mock.MAX_BROKERS])
    def test_brokers(self, brokers: int) -> None:
        with MockCluster(brokers) as cluster:
            assert len(set(cluster.bootstrap)) == brokers
            seen = Producer({"bootstrap.servers": cluster.bootstrap[0]}).list_topics(timeout=10).brokers
            assert sorted(f"{b.host}:{b.port}" for b in seen.values()) == sorted(cluster.bootstrap)

    @pytest.mark.parametrize("brokers", [1, 2, 5])
    @pytest.mark.parametrize("count", [1, 4, 7, mock.MAX_PARTITIONS])
    def test_default_partitions(self, brokers: int, count: int) -> None:
        with MockCluster(brokers, count) as cluster:
            assert partitions(cluster.bootstrap[0], "made-on-first-use") == count

    def test_four_partitions_by_default(self) -> None:
        with MockCluster() as cluster:
            assert partitions(cluster.bootstrap[0], "made-on-first-use") == 4

    def test_an_unknown_structure_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mock, "_OWN_DEFAULT_PARTITIONS", 5)
        with pytest.raises(Failure, match="no other number can be set"):
            MockCluster(1, 7)

    def test_create_topic(self) -> None:
        with MockCluster(3) as cluster:
            cluster.create_topic("wide", 9, 2)
            seen = Producer({"bootstrap.servers": cluster.bootstrap[0]}).list_topics("wide", timeout=10)
            assert [len(p.replicas) for p in seen.topics["wide"].partitions.values()] == [2] * 9
            with pytest.raises(Failure, match=r'cannot create topic "wide": .*already exists'):
                cluster.create_topic("wide")

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "a b", "a\0b", "a\n", "тема", "\ud800", "\U0001f600", "x" * 250]
    )
    def test_create_topic_refuses_names_that_kafka_refuses(self, name: str) -> None:
        with MockCluster() as cluster, pytest.raises(Failure, match="bad topic name"):
            cluster.create_topic(name)

    @pytest.mark.parametrize("name", ["...", "a.b_c-D9", "x" * 249])
    def test_create_topic_takes_names_that_kafka_takes(self, name: str) -> None:
        with MockCluster() as cluster:
            cluster.create_topic(name)
            assert partitions(cluster.bootstrap[0], name) == 1

    @pytest.mark.parametrize("name", ["тема", "\U0001f600", "a b", "x" * 500, "%s%n", "\x01"])
    def test_odd_names_from_clients_do_no_harm(self, name: str) -> None:
        with MockCluster() as cluster:
            assert round_trip(cluster.bootstrap[0], name, 1) == [(b"k0", b"v\x00\xff0")]

    @pytest.mark.parametrize("number", [0, -1, 33, 2**31, -(2**40)])
    def test_bad_number_of_brokers(self, number: int) -> None:
        with pytest.raises(Failure, match=f"brokers must be a whole number from 1 to 32, got {number}"):
            MockCluster(number)

    @pytest.mark.parametrize("number", [0, -1, 1001, 2**31, -(2**40)])
    def test_bad_number_of_partitions(self, number: int) -> None:
        text = f"partitions must be a whole number from 1 to 1000, got {number}"
        with pytest.raises(Failure, match=text):
            MockCluster(1, number)
        with MockCluster() as cluster, pytest.raises(Failure, match=text):
            cluster.create_topic("t", number)
        with MockCluster() as cluster, pytest.raises(Failure, match="replication must be"):
            cluster.create_topic("t", 1, number)

    def test_closing_twice(self) -> None:
        cluster = MockCluster()
        host, port = cluster.bootstrap[0].split(":")
        cluster.close()
        cluster.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, int(port)), timeout=5)
        with pytest.raises(Failure, match="closed"):
            cluster.create_topic("t")

    @pytest.mark.skipif(not ON_LINUX, reason="counts in /proc")
    def test_nothing_is_left_after_closing(self) -> None:
        def held() -> list[int]:
            return [len(os.listdir(f"/proc/self/{kind}")) for kind in ("task", "fd")]

        before = held()
        for _ in range(20):
            MockCluster(3, 7).close()
        assert held() == before

    def test_says_nothing_on_the_standard_channels(self, capfd: pytest.CaptureFixture[str]) -> None:
        with MockCluster(2, 7) as cluster:
            partitions(cluster.bootstrap[0], "t")
        assert [line for line in capfd.readouterr() if "producer-" not in line and line] == []

    @pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no signal masks")
    def test_a_signal_does_not_reach_the_cluster(self) -> None:
        """While the main thread blocks a signal,
        the kernel hands it to any other thread that does not.
        """
        script = """
import os, signal
from confluent_kafka import Producer
from kafkatcl.librdkafka.mock import MockCluster
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
with MockCluster() as cluster:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGUSR1)
    print(len(Producer({"bootstrap.servers": cluster.bootstrap[0]}).list_topics("t", timeout=5).topics))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
"""
        command = [sys.executable, "-c", script]
        assert subprocess.check_output(command, env=ENVIRONMENT, text=True, timeout=20) == "1\nhandled\n"

    def test_a_group_starts_at_once(self) -> None:
        with MockCluster() as cluster:
            cluster.create_topic("t", 4)
            member = consumer(cluster.bootstrap[0])
            assigned = []
            start = time.monotonic()
            member.subscribe(["t"], on_assign=lambda _, given: assigned.extend(given))
            while not assigned and time.monotonic() < start + 10:
                member.poll(0.02)
            took = time.monotonic() - start
            member.close()
            assert len(assigned) == 4
            assert took < 2.5  # the mock's own delay is 3 s

    def test_members_that_come_together_share(self) -> None:
        """They need no second round of joining,
        which takes the session timeout less a second on the mock.
        """
        tries = (shares_of_two_members(deadline=2.5, session_timeout_ms=6000) for _ in range(3))
        assert [2, 2] in tries  # on a busy machine the second may come too late


class TestWanted:
    @pytest.mark.parametrize("text", ["1", "true", "yes", "on", "TRUE", " Yes "])
    def test_yes(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("KAFKATCL_EMBEDDED", text)
        assert embedded.is_wanted() is True

    @pytest.mark.parametrize("text", ["0", "false", "no", "off", "", " ", "False"])
    def test_no(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("KAFKATCL_EMBEDDED", text)
        assert embedded.is_wanted() is False

    def test_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KAFKATCL_EMBEDDED", raising=False)
        assert embedded.is_wanted() is False

    @pytest.mark.parametrize("text", ["2", "maybe", "127.0.0.1:9092", "ja"])
    def test_neither(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("KAFKATCL_EMBEDDED", text)
        with pytest.raises(Failure, match=f'KAFKATCL_EMBEDDED must be 1 or 0 .*, got "{text}"'):
            embedded.is_wanted()


class TestEmbedded:
    @pytest.fixture(autouse=True)
    def _fresh(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        embedded._close()
        for name in ("BROKERS", "PARTITIONS"):
            monkeypatch.delenv(f"KAFKATCL_EMBEDDED_{name}", raising=False)
        yield
        embedded._close()

    def test_one_cluster_and_one_notice_for_all_threads(self, capfd: pytest.CaptureFixture[str]) -> None:
        together = threading.Barrier(8)
        answers = []

        def ask() -> None:
            together.wait()
            answers.append(embedded.brokers())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [embedded.brokers()] * 8
        assert len(answers[0]) == 1
        assert partitions(answers[0][0], "t") == 4
        out, err = capfd.readouterr()
        assert out == ""
        assert err.count("embedded broker") == 1

    def test_the_notice_tells_the_limits(self, capfd: pytest.CaptureFixture[str]) -> None:
        embedded.brokers()
        notice = capfd.readouterr().err
        for word in (
            "trying out and testing",
            "in memory",
            "5 MiB a partition",
            "ends",
            "leave out --embedded",
        ):
            assert word in notice
        assert notice.count("\n") == 1

    def test_the_list_is_a_copy(self) -> None:
        embedded.brokers().clear()
        assert embedded.brokers() != []

    def test_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KAFKATCL_EMBEDDED_BROKERS", "2")
        monkeypatch.setenv("KAFKATCL_EMBEDDED_PARTITIONS", "6")
        bootstrap = embedded.brokers()
        assert len(bootstrap) == 2
        assert partitions(bootstrap[0], "t") == 6

    @pytest.mark.parametrize("text", ["0", "x", "1.5", "33", "-1"])
    def test_bad_setting(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("KAFKATCL_EMBEDDED_BROKERS", text)
        with pytest.raises(Failure, match=f"whole number.*{text}"):
            embedded.brokers()
        monkeypatch.delenv("KAFKATCL_EMBEDDED_BROKERS")
        assert len(embedded.brokers()) == 1

    @pytest.mark.parametrize("end", ["shutdown.shutdown()", "pass"])
    def test_ends_with_the_process(self, end: str) -> None:
        script = f"""
from kafkatcl.engine import embedded, shutdown
print(embedded.brokers()[0])
{end}
"""
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=ENVIRONMENT,
            text=True,
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert (done.returncode, done.stderr.count("\n")) == (0, 1)
        host, port = done.stdout.strip().split(":")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, int(port)), timeout=5)

    def test_shutdown_closes_it(self) -> None:
        script = """
import socket
from kafkatcl.engine import embedded, shutdown
host, port = embedded.brokers()[0].split(":")
socket.create_connection((host, int(port)), 5).close()
shutdown.shutdown()
try:
    socket.create_connection((host, int(port)), 5)
except ConnectionRefusedError:
    print("closed")
"""
        command = [sys.executable, "-c", script]
        assert subprocess.check_output(command, env=ENVIRONMENT, text=True, timeout=20) == "closed\n"


class TestProcess:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_serves_until_a_signal(self, tmp_path: Path, number: int) -> None:
        file = tmp_path / "bootstrap"
        with broker_process("--bootstrap-file", str(file)) as process:
            assert file.read_text() == f"{process.bootstrap}\n"
            assert os.listdir(tmp_path) == ["bootstrap"]
            assert len(round_trip(process.bootstrap)) == 20
            assert partitions(process.bootstrap, "t") == 4
            process.send_signal(number)
            assert process.wait(2) == 0
            assert not file.exists()
            assert process.stdout.read() == ""
            notice = process.stderr.read()
        for word in (
            "trying out and testing",
            "in memory",
            "5 MiB a partition",
            "session.timeout.ms",
            "Ctrl-C",
        ):
            assert word in notice
        assert notice.count("\n") == 1

    def test_ends_while_clients_are_busy(self) -> None:
        with broker_process() as process:
            reader = consumer(process.bootstrap, logger=None, log_level=0)
            reader.subscribe(["t"])
            reader.poll(0.5)
            process.terminate()
            assert process.wait(2) == 0
            reader.close()

    def test_a_signal_right_at_the_start(self) -> None:
        """Whenever it comes, the process ends soon and without a traceback."""
        command = [sys.executable, "-m", "kafkatcl", "broker"]
        for delay in (0.06, 0.08, 0.1, 0.12, 0.15):
            with subprocess.Popen(
                command, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                time.sleep(delay)  # no condition to wait for: the moment is what is tried
                process.terminate()
                assert process.wait(5) in {0, -signal.SIGTERM}
                assert process.stderr
                assert "Traceback" not in process.stderr.read()

    def test_brokers_and_partitions(self) -> None:
        with broker_process("--brokers", "3", "--partitions", "7") as process:
            servers = process.bootstrap.split(",")
            assert len(set(servers)) == 3
            assert all(server.startswith("127.0.0.1:") for server in servers)
            assert partitions(process.bootstrap, "t") == 7

    @pytest.mark.skipif(not ON_LINUX, reason="reads /proc")
    def test_listens_on_loopback_only(self) -> None:
        with broker_process("--brokers", "3") as process:
            loopback = "0100007F" if sys.byteorder == "little" else "7F000001"
            assert listening_addresses(process.pid) == [loopback] * 3

    def test_until_eof(self, tmp_path: Path) -> None:
        file = tmp_path / "bootstrap"
        with broker_process("--until-eof", "--bootstrap-file", str(file), stdin=subprocess.PIPE) as process:
            process.stdin.write("this is not the end\n")
            process.stdin.flush()
            assert partitions(process.bootstrap, "t") == 4
            assert process.poll() is None
            process.stdin.close()
            assert process.wait(2) == 0
            assert not file.exists()

    def test_until_eof_with_nothing_to_read(self) -> None:
        with broker_process("--until-eof", stdin=subprocess.DEVNULL) as process:
            assert process.wait(2) == 0

    def test_the_end_of_input_alone_does_not_end_it(self) -> None:
        with broker_process(stdin=subprocess.DEVNULL) as process:
            assert partitions(process.bootstrap, "t") == 4
            assert process.poll() is None

    def test_an_older_file_is_replaced_and_a_newer_one_kept(self, tmp_path: Path) -> None:
        file = tmp_path / "bootstrap"
        file.write_text("127.0.0.1:1\n")
        with broker_process("--bootstrap-file", str(file)) as process:
            assert file.read_text() == f"{process.bootstrap}\n"
            file.write_text("127.0.0.1:2\n")
            process.terminate()
            assert process.wait(2) == 0
        assert file.read_text() == "127.0.0.1:2\n"

    @pytest.mark.parametrize("name", ["", "fifo", ".", "missing/file", "x" * 300, "тема/\U0001f600"])
    def test_a_file_that_cannot_be_written(self, tmp_path: Path, name: str) -> None:
        os.mkfifo(tmp_path / "fifo")  # stands for /dev/null too, which must not be replaced by a file
        done = subprocess.run(
            [sys.executable, "-m", "kafkatcl", "broker", "--bootstrap-file", name],
            env=ENVIRONMENT,
            text=True,
            capture_output=True,
            timeout=20,
            check=False,
            cwd=tmp_path,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith('kafkatcl broker: cannot write "')
        assert done.stderr.count("\n") == 1
        assert os.listdir(tmp_path) == ["fifo"]
        assert (tmp_path / "fifo").is_fifo()

    def test_too_few_descriptors(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "kafkatcl", "broker", "--brokers", "30"],
            env=ENVIRONMENT,
            text=True,
            capture_output=True,
            timeout=20,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)),
        )
        assert done.returncode == 2
        assert (
            done.stderr == "kafkatcl broker: cannot start 30 brokers: Too many open files; raise ulimit -n\n"
        )


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class TestPort:
    def test_the_cluster_answers_there_by_every_name_of_this_machine(self, free_port: int) -> None:
        with broker_process("--port", str(free_port), "--brokers", "2") as process:
            assert process.bootstrap == f"127.0.0.1:{free_port}"
            assert len(round_trip(process.bootstrap)) == 20
            names = ["localhost", *(["[::1]"] if has_ipv6() else [])]
            for name in names:
                seen = Producer({"bootstrap.servers": f"{name}:{free_port}"}).list_topics(timeout=10)
                assert "orders" in seen.topics
                assert len({broker.port for broker in seen.brokers.values()} - {free_port}) == 2

    @pytest.mark.skipif(not ON_LINUX, reason="reads /proc")
    def test_it_is_on_loopback_only(self, free_port: int) -> None:
        with broker_process("--port", str(free_port)) as process:
            own = {"0100007F", "7F000001", "00000000000000000000000001000000", "0" * 31 + "1"}
            assert len(listening_addresses(process.pid)) == 3 if has_ipv6() else 2
            assert set(listening_addresses(process.pid)) <= own

    def test_connections_end_with_the_broker_and_the_port_is_free_again(self, free_port: int) -> None:
        for _ in range(2):
            with (
                broker_process("--port", str(free_port)) as process,
                socket.create_connection(("127.0.0.1", free_port), timeout=5) as idle,
            ):
                process.terminate()
                assert process.wait(3) == 0
                assert idle.recv(1) == b""

    def test_a_port_in_use_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            done = subprocess.run(
                [sys.executable, "-m", "kafkatcl", "broker", "--port", str(port)],
                env=ENVIRONMENT,
                text=True,
                capture_output=True,
                timeout=20,
                check=False,
            )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"kafkatcl broker: cannot listen on port {port} of 127.0.0.1: Address already in use\n"
        )

    def test_nothing_is_left_of_the_relay(self, free_port: int) -> None:
        before = threading.active_count()
        with MockCluster() as cluster, relay.relayed(free_port, cluster.bootstrap[0]):
            idle = [socket.create_connection(("127.0.0.1", free_port), timeout=5) for _ in range(5)]
            assert partitions(f"127.0.0.1:{free_port}", "t") == 4
        assert [one.recv(1) for one in idle] == [b""] * 5
        for one in idle:
            one.close()
        assert threading.active_count() == before


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False
