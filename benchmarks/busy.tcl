# busy.tcl --
#
#   What an event loop may be busy with: busy::KIND begins it, and it does not end.

namespace eval busy {
    proc nothing {} {}
    # A timer that is always due.
    proc timer {} {after 0 ::busy::timer}
    # Each 20 ms, and it takes 25 ms.
    proc overrun {} {
        after 20 ::busy::overrun
        set end [expr {[clock milliseconds] + 25}]
        while {[clock milliseconds] < $end} {}
    }
    # A channel that can always be written to, and one that can always be read.
    proc writable {} {
        set channel [open /dev/null w]
        fileevent $channel writable {incr ::turns}
    }
    proc readable {} {
        set channel [open /dev/zero r]
        fconfigure $channel -translation binary
        fileevent $channel readable [list read $channel 100]
    }
    # A socket whose peer sends all the time.
    proc socket {} {
        set server [::socket -server ::busy::accept -myaddr 127.0.0.1 0]
        set sender [::socket 127.0.0.1 [lindex [fconfigure $server -sockname] 2]]
        fconfigure $sender -blocking 0 -translation binary
        fileevent $sender writable [list puts -nonewline $sender [string repeat x 4096]]
    }
    proc accept {channel args} {
        fconfigure $channel -blocking 0 -translation binary
        fileevent $channel readable [list read $channel 4096]
    }
}
