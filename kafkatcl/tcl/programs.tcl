# programs.tcl --
#
#   Programs that a script runs in a process with Kafka clients.  They inherit no
#   descriptor of the clients, although librdkafka makes its pipes without FD_CLOEXEC
#   (rd_pipe_nonblocking in
#   https://github.com/confluentinc/librdkafka/blob/v2.15.0/src/rdposix.h),
#   and their environment says where a tclsh finds the package.  Interpreters of new
#   threads read that environment, too.

namespace eval ::kafkatcl::programs {
    variable process [pid]  ;# the process that has loaded the package
    variable index {}       ;# the folder for TCLLIBPATH; set by bridge/host.py
    variable python {}      ;# the value for KAFKATCL_PYTHON; set by bridge/host.py
    variable own {}         ;# a program that finds the package by itself; set by the shell
    variable forking {}     ;# paths of the interpreters whose command fork is watched
    # environment variables that are to be set back: each name, and a list of the value
    # that it had, or an empty list if it was not set
    variable before {}
}

# Watch an interpreter for programs that it runs, by `exec` and by `open`, and for
# libraries that it loads.
proc ::kafkatcl::WatchPrograms {path} {
    Watch $path ::exec {enter leave} * programs::Exec
    Watch $path ::open {enter leave} |* programs::Open
    # What is loaded may make threads.
    Watch $path ::load leave * programs::Loaded
}

# The trace on `exec`: before it, seal the descriptors of the clients and set the
# environment; after it, set the environment back.
#   command  the words of the call
proc ::kafkatcl::programs::Exec {path command args} {
    variable process
    if {[lindex $args end] eq "leave"} {
        Restore
        return
    }
    # A forked process must not call the engine that its parent has loaded.
    if {[pid] == $process} {
        ::kafkatcl::bridge::seal
    }
    if {![IsOwn [lrange $command 1 end]]} {
        SetEnvironment
    }
}

# The trace on `open` of a command pipeline.
proc ::kafkatcl::programs::Open {path command args} {
    Exec $path "exec [string range [lindex $command 1] 1 end]" {*}$args
}

# The trace on `load` after it.  What was loaded may make threads, so the environment
# stays as it is set; and it may be Tclx, whose `fork` is watched from now on.
proc ::kafkatcl::programs::Loaded {path args} {
    variable before
    variable forking
    SetEnvironment
    set before {}
    if {$path ni $forking && [interp eval $path {::info commands ::fork}] ne ""} {
        lappend forking $path
        ::kafkatcl::Watch $path ::fork {enter leave} * programs::Fork
    }
}

# The trace on the `fork` of package Tclx: the poll threads rest while it runs.  Only
# the thread that forks is there in the child.  If another one had Python just then, the
# child would wait for it for ever.
# https://man7.org/linux/man-pages/man2/fork.2.html
proc ::kafkatcl::programs::Fork {path command args} {
    ::kafkatcl::bridge::rest [expr {[lindex $args end] ne "leave"}]
}

# Whether one program is run, and that one finds the package by itself.
#   words  of the command pipeline
proc ::kafkatcl::programs::IsOwn {words} {
    variable own
    return [expr {$own in $words && "|" ni $words && "|&" ni $words}]
}

# Set TCLLIBPATH (https://www.tcl-lang.org/man/tcl8.6/TclCmd/tclvars.htm) and
# KAFKATCL_PYTHON, as far as the script has not set them.
proc ::kafkatcl::programs::SetEnvironment {} {
    variable index
    variable python
    set folders [expr {[info exists ::env(TCLLIBPATH)] ? $::env(TCLLIBPATH) : {}}]
    if {[string is list $folders] && $index ni $folders} {
        Set TCLLIBPATH [list {*}$folders $index]
    }
    if {![info exists ::env(KAFKATCL_PYTHON)]} {
        Set KAFKATCL_PYTHON $python
    }
}

# Set an environment variable, and note what it was.
proc ::kafkatcl::programs::Set {name value} {
    variable before
    lappend before $name [expr {[info exists ::env($name)] ? [list $::env($name)] : {}}]
    set ::env($name) $value
}

# Set environment variables back to what they were.
proc ::kafkatcl::programs::Restore {} {
    variable before
    foreach {name value} $before {
        if {[llength $value]} {
            set ::env($name) [lindex $value 0]
        } else {
            unset -nocomplain ::env($name)
        }
    }
    set before {}
}
