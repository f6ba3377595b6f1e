"""Delivery reports that carry long values: every byte of them, in every shell."""

from __future__ import annotations

from fix_cluster import Cluster
from fix_producing import MASTER
from fix_tcl import RunTcl, also_in_tcl9

#: For each of the values a message is delivered and one fails, and the reports are held
#: against what was sent.
LONG = (
    MASTER
    + r"""
proc bytes {from to} {
    set made {}
    for {set number $from} {$number < $to} {incr number} {
        append made [format %c $number]
    }
    return $made
}
set values [list [bytes 0 256] [bytes 128 256] [string repeat \0 200] [string repeat "\{" 201] \
    [string repeat "\\" 203] [string repeat "a b " 60] "#[string repeat {$} 150]" \
    [string repeat "1 " 100] "  [string repeat 0 200]1 " [string repeat "\}\{\\\n" 5000] [bytes 0 99] [bytes 0 100]]
proc told {report} {
    lappend ::reports $report
}
m delivery_report_callback told
m producer_creator good
m config bootstrap.servers 127.0.0.1:1
m topic_config message.timeout.ms 300
m producer_creator bad
good new_topic tgood $topic
bad new_topic tbad lost
foreach producer {good bad} {
    foreach value $values {
        set reports {}
        set tag [string repeat "\u0100\u20ac\{" 70]
        t$producer produce 0 $value $value
        t$producer produce 0 x $value -callback told -headers [list $tag $value b c] -tag $tag
        while {[llength $reports] < 2} {
            vwait reports
        }
        # They may come in either order.
        lassign [lsort -command {apply {{one other} {expr {[llength $one] - [llength $other]}}}} $reports] plain full
        foreach {report expected} [list \
                $plain [list payload $value key $value] \
                $full [list payload x key $value headers [list $tag $value b c] tag $tag]] {
            foreach {name wanted} $expected {
                if {[dict get $report $name] ne $wanted} {
                    puts "$producer $name: <[dict get $report $name]> instead of <$wanted>"
                }
            }
            puts [string equal $report [list {*}$report]],[dict exists $report code]
        }
    }
}
exit
"""
)


@also_in_tcl9
def test_long_values_of_reports_keep_every_byte(run_everywhere: RunTcl, embedded_cluster: Cluster) -> None:
    done = run_everywhere(LONG, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.stdout.splitlines() == ["1,0"] * 24 + ["1,1"] * 24
