"""What a program that loads the package imports, and what it leaves to who uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fix_cluster import Cluster
from fix_tcl import RunTcl

import kafkatcl.sidecar

#: What takes its time to import, and no script needs that only loads the package.
SLOW = {
    "asyncio", "concurrent.futures", "confluent_kafka", "confluent_kafka.admin", "dataclasses", "difflib",
    "inspect", "logging", "pathlib", "platform", "random", "selectors", "shutil", "socket", "ssl",
    "subprocess", "tempfile", "textwrap", "tkinter", "traceback", "urllib.parse", "uuid",
}  # fmt: skip
LISTING = ("-X", "importtime")


def listed(importtime: str) -> set[str]:
    """The modules that Python has listed with ``-X importtime``."""
    return {line.rpartition("|")[2].strip() for line in importtime.splitlines()}


def run(program: str) -> str:
    """What a program in Python prints; it must not fail."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- what is imported ------------------------------------------------------------------


def test_kafkatclsh_imports_nothing_slow(run_tcl: RunTcl) -> None:
    shell = (sys.executable, *LISTING, "-c", "from kafkatcl.launch import kafkatclsh; kafkatclsh()")
    done = run_tcl("package require kafka", shell=shell)
    assert done.status == 0
    assert "kafkatcl.bridge.calls" in listed(done.stderr)
    assert listed(done.stderr) & SLOW == set()


def test_a_sidecar_imports_nothing_slow_and_nothing_of_tcl() -> None:
    program = [sys.executable, *LISTING, "-E", str(Path(kafkatcl.sidecar.__file__).with_name("__main__.py"))]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert done.stdout
    imported = listed(done.stderr.decode())
    assert "kafkatcl.bridge.calls" in imported
    assert imported & (SLOW | {"_tkinter", "kafkatcl.native.library"}) == set()


def test_a_sidecar_that_produces_imports_nothing_slow_either(
    embedded_cluster: Cluster, tmp_path: Path, run_tcl: RunTcl
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" {" ".join(LISTING)} "$@"\n')
    python.chmod(0o755)
    script = """
        package require kafka
        kafka::brokers $env(KAFKATCL_TEST_BROKERS)
        kafka::topic_producer out [lindex $argv 0]
        set end [expr {[clock milliseconds] + 10000}]
        while {[array names ::kafkatcl::sidecar::grant *,0] eq "" && [clock milliseconds] < $end} {
            out produce 0 "a message"
        }
        puts [array names ::kafkatcl::sidecar::grant *,0]
    """
    env = {"KAFKATCL_PYTHON": str(python)}
    done = run_tcl(script, embedded_cluster.topic(), shell=("tclsh",), env=env, brokers=embedded_cluster)
    assert done.stdout.endswith(",0\n"), done.stderr
    assert "kafkatcl.sidecar.credit" in listed(done.stderr)
    assert listed(done.stderr) & SLOW == set()


def test_garbage_is_looked_for_once_all_is_imported(run_tcl: RunTcl) -> None:
    program = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 10000))\n"
        "from kafkatcl.launch import kafkatclsh\n"
        "kafkatclsh()\n"
    )
    done = run_tcl("package require kafka", shell=(sys.executable, "-c", program))
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_the_procedure_of_a_subcommand_is_made_when_it_is_first_called(run_tcl: RunTcl) -> None:
    script = """
        package require kafka
        kafka::kafka create m
        proc made {} {
            lmap procedure [lsort [info procs ::kafkatcl::master::*]] {
                if {[string match *DefineSubcommand* [info body $procedure]]} {continue}
                namespace tail $procedure
            }
        }
        set helpers [made]
        m config client.id a
        m partitioner random
        puts [lmap name [made] {if {$name in $helpers} {continue}; set name}]
    """
    assert run_tcl(script).stdout == "config partitioner\n"


# -- confluent-kafka, whose extension module is loaded alone ---------------------------

OURS = "from kafkatcl.librdkafka import wrapper as ours\n"
SHARED = """
import sys, confluent_kafka, confluent_kafka.admin, confluent_kafka.cimpl
cimpl = sys.modules["confluent_kafka.cimpl"]
assert confluent_kafka is sys.modules["confluent_kafka"]
assert confluent_kafka.cimpl is cimpl and cimpl.__spec__.name == cimpl.__name__ == "confluent_kafka.cimpl"
for name in ("Consumer", "KafkaError", "KafkaException", "Producer", "ShareConsumer", "TopicPartition"):
    assert getattr(ours, name) is getattr(confluent_kafka, name) is getattr(cimpl, name), name
assert issubclass(confluent_kafka.error.ProduceError, ours.KafkaException)
assert confluent_kafka.__version__ == cimpl.version() and confluent_kafka.__file__.endswith("__init__.py")
print("shared")
"""


@pytest.mark.parametrize(
    "theirs",
    [
        "import confluent_kafka",
        "import confluent_kafka.cimpl",
        "import confluent_kafka.admin",
        "from confluent_kafka import Producer",
        "from confluent_kafka import cimpl",
        "from confluent_kafka.cimpl import Producer",
        "from confluent_kafka import *",
    ],
)
def test_a_program_shares_the_module_whoever_is_first(theirs: str) -> None:
    assert (
        run(f"{OURS}import sys\nassert 'confluent_kafka' not in sys.modules\n{theirs}\n{SHARED}")
        == "shared\n"
    )
    assert run(f"{theirs}\n{OURS}{SHARED}") == "shared\n"


def test_threads_that_import_the_package_at_once_share_the_module() -> None:
    program = """
import threading
start = threading.Barrier(8)
found = set()
def look(number):
    start.wait()
    if number % 2:
        import confluent_kafka
    else:
        from kafkatcl.librdkafka import wrapper
        from confluent_kafka import admin
    import confluent_kafka
    found.add((confluent_kafka, confluent_kafka.cimpl, confluent_kafka.admin.AdminClient.__mro__[1]))
threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 1, found
"""
    run(f"{OURS}{program}{SHARED}")


def test_the_package_can_be_loaded_anew() -> None:
    program = """
import importlib, confluent_kafka
assert importlib.reload(confluent_kafka) is confluent_kafka
"""
    assert run(f"{OURS}{program}{SHARED}") == "shared\n"


def test_errors_can_be_pickled_as_ever() -> None:
    program = """
import pickle
error = ours.KafkaError(ours.KafkaError._TIMED_OUT, "why")
same = pickle.loads(pickle.dumps(error))
assert (type(same), same.code(), same.str()) == (ours.KafkaError, error.code(), "why")
"""
    assert run(OURS + program + SHARED) == "shared\n"


def test_the_module_imports_what_it_needs_of_the_package() -> None:
    program = """
from kafkatcl.librdkafka.mock import MockCluster
with MockCluster() as cluster:
    producer = ours.Producer({"bootstrap.servers": ",".join(cluster.bootstrap)})
    found = producer.list_topics(timeout=10)
    del producer
print(type(found).__module__, len(found.brokers))
"""
    assert run(OURS + program) == "confluent_kafka.admin._metadata 1\n"


def test_a_package_that_only_another_finder_finds_is_imported_as_it_is() -> None:
    program = """
import importlib.util, sys
spec = importlib.util.find_spec("confluent_kafka")
class Finder:
    def find_spec(name, path=None, target=None):
        return spec if name == "confluent_kafka" else None
place = spec.submodule_search_locations[0].rpartition("/")[0]
import kafkatcl
sys.path[:] = [kafkatcl.__path__[0].rpartition("/")[0], *(path for path in sys.path if path != place)]
sys.meta_path.append(Finder)
"""
    assert run(f"{program}{OURS}assert 'confluent_kafka' in sys.modules\n{SHARED}") == "shared\n"
