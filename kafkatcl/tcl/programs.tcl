# programs.tcl --
#
#   Programs that are run by interpreters whose process has Kafka's clients in it: these inherit no descriptor of theirs.

namespace eval ::kafkatcl {
    variable process [pid]
}

# Have descriptors sealed before the interpreter of this path runs a program.
proc ::kafkatcl::WatchPrograms {path} {
    foreach {command watcher} {exec BeforeExec open BeforeOpen} {
        interp alias $path ::kafkatcl::before_$command {} ::kafkatcl::$watcher
        # A script may have deleted our namespace; its `exec` must work all the same.
        set trace [list ::apply [list args "catch {::kafkatcl::before_$command {*}\$args}"]]
        interp eval $path [list trace add execution ::$command enter $trace]
    }
}

# A process that was forked does not use what its parent has loaded.
proc ::kafkatcl::BeforeExec {args} {
    variable process
    if {[pid] == $process} {
        bridge::seal
    }
}

proc ::kafkatcl::BeforeOpen {command operation} {
    if {[string match |* [lindex $command 1]]} {
        BeforeExec
    }
}

::kafkatcl::WatchPrograms {}
