"""Addresses of brokers: what is told is what can be given."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fix_tcl import RunTcl

from kafkatcl.engine.metadata import Metadata


@pytest.mark.parametrize(
    ("host", "told"),
    [("::1", "[::1]:5"), ("[::1]", "[::1]:5"), ("10.0.0.1", "10.0.0.1:5"), ("kafka", "kafka:5")],
)
def test_an_ipv6_address_is_told_in_brackets(host: str, told: str) -> None:
    found = Metadata(SimpleNamespace(brokers={1: SimpleNamespace(id=1, host=host, port=5)}, topics={}))
    assert found.brokers() == (told,)
    assert f"  broker 1 at {told}\n" in found.text()


SCRIPT = """
package require kafka
kafka::kafka create m
m config debug broker
m logger callback {apply {line {
    if {[regexp {(\\S+)/bootstrap: Received CONNECT op} [dict get $line message] all address]} {set ::seen $address}
}}}
lassign $argv how brokers
switch $how {
    handle {m producer_creator p; p add_brokers $brokers}
    master {m add_brokers $brokers; m producer_creator p}
    config {m config bootstrap.servers [join $brokers ,]; m producer_creator p}
}
after 10000 {set seen none}
vwait seen
puts $seen
"""


@pytest.mark.parametrize("how", ["handle", "master", "config"])
@pytest.mark.parametrize(
    ("brokers", "used"),
    [
        ("{[::1]:5}", "[::1]:5"),
        ("[::1]:5", "[::1]:5"),
        ("[::1]", "[::1]:9092"),
        ("::1", "[::1]:9092"),
        ("PLAINTEXT://[::1]:5", "[::1]:5"),
    ],
)
def test_it_is_taken_in_brackets_and_without(how: str, brokers: str, used: str, run_tcl: RunTcl) -> None:
    assert run_tcl(SCRIPT, how, brokers).stdout == f"{used}\n"
