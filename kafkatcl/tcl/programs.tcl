# programs.tcl --
#
#   Programs that a script runs in a process with Kafka clients.  They inherit no
#   descriptor of the clients, and their environment says where a tclsh finds the
#   package.  Interpreters of new threads read that environment, too.

namespace eval ::kafkatcl::programs {
    variable process [pid]
    variable index {}       ;# the folder for TCLLIBPATH
    variable python {}      ;# the value of KAFKATCL_PYTHON
    variable own {}         ;# a program that finds the package by itself
    variable forking {}     ;# paths of the interpreters whose command fork is watched
    # what variables were that are told: a name and a list of its value, or an empty one
    variable before {}
}

proc ::kafkatcl::WatchPrograms {path} {
    Watch $path ::exec {enter leave} * programs::Exec
    Watch $path ::open {enter leave} |* programs::Open
    # What is loaded may make threads.
    Watch $path ::load leave * programs::Loaded
}

proc ::kafkatcl::programs::Exec {path command args} {
    variable process
    if {[lindex $args end] eq "leave"} {
        Restore
        return
    }
    # A process that was forked does not use what its parent has loaded.
    if {[pid] == $process} {
        ::kafkatcl::bridge::seal
    }
    if {![IsOwn [lrange $command 1 end]]} {
        SetEnvironment
    }
}

proc ::kafkatcl::programs::Open {path command args} {
    Exec $path "exec [string range [lindex $command 1] 1 end]" {*}$args
}

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

# The fork of package Tclx.  A thread that has Python then is not there in the child,
# which would wait for it for ever.
proc ::kafkatcl::programs::Fork {path command args} {
    ::kafkatcl::bridge::rest [expr {[lindex $args end] ne "leave"}]
}

# Whether one program is run, and that finds the package by itself.
proc ::kafkatcl::programs::IsOwn {words} {
    variable own
    return [expr {$own in $words && "|" ni $words && "|&" ni $words}]
}

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

proc ::kafkatcl::programs::Set {name value} {
    variable before
    lappend before $name [expr {[info exists ::env($name)] ? [list $::env($name)] : {}}]
    set ::env($name) $value
}

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
