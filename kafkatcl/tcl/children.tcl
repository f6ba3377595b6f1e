# children.tcl --
#
#   Child interpreters have the package, too.  What they need of this interpreter, and
#   what it wants to know of them, goes through their gates.  A gate is an interpreter
#   in the child, with a hidden command that leads here.  An alias in the child itself
#   would be among its `interp aliases`: as long as a child has not loaded the package,
#   these are the script's own only.  From then on those of the bridge calls are there
#   as well (see Load in install.tcl).
#
#   All procedures that a child calls by `::kafkatcl::up` have the path of that child as
#   their first argument.

namespace eval ::kafkatcl {
    variable gates 0        ;# counts the gates made
    variable isMaking 0     ;# whether an interpreter is made that is none of the script's
    variable loaded         ;# session of a child -> its path, while it has the package
    array set loaded {}
}

# Call a procedure of this namespace with the path of the interpreter that calls.
# Children have a command of this name, too, which goes through their gate to UpFrom.
#   procedure  its name below ::kafkatcl; it gets the path first, then the arguments
proc ::kafkatcl::up {procedure args} {
    tailcall ::kafkatcl::$procedure {} {*}$args
}

# What the command in a gate leads to: the call of a child.
proc ::kafkatcl::UpFrom {path procedure args} {
    tailcall ::kafkatcl::$procedure $path {*}$args
}

# Give a child a gate.  It is an interpreter in the child, ::kafkatcl::gateN, and the
# child's variable ::kafkatcl::gate has its name.
proc ::kafkatcl::MakeGate {path} {
    variable gates
    variable isMaking 1
    set name ::kafkatcl::gate[incr gates]
    set gate [list {*}$path $name]
    interp create -safe -- $gate
    set isMaking 0
    interp alias $gate up {} ::kafkatcl::UpFrom $path
    interp hide $gate up
    interp eval $path [list set ::kafkatcl::gate $name]
    # A script may delete all interpreters that it finds.
    interp eval $path [list trace add command $name delete {::kafkatcl::up GateGone}]
}

# The trace on a gate that is deleted: another one takes its place, unless our namespace
# in the child goes with it.
proc ::kafkatcl::GateGone {path args} {
    if {[interp eval $path {namespace exists ::kafkatcl}]} {
        MakeGate $path
    }
}

# Give a child that was created what it needs to load the package, and watch what it
# does.
proc ::kafkatcl::Adopt {path} {
    interp eval $path {
        namespace eval ::kafkatcl {}
        proc ::kafkatcl::up args {$::kafkatcl::gate invokehidden up {*}$args}
        proc ::kafkatcl::load {} {::kafkatcl::up Load}
    }
    MakeGate $path
    # Its parent may be older than the package and have no ::kafkatcl::up: then nothing
    # is told.
    set name [lindex $path end]
    interp eval [lrange $path 0 end-1] [list trace add command ::$name delete [list ::kafkatcl::up ChildGoing $name]]
    Follow $path
}

# Announce the package to an interpreter, and watch it: for new children, for programs
# that it runs, and for what the shell or the sidecar wants to know.
proc ::kafkatcl::Follow {path} {
    Watch $path ::interp enter cr* Creating
    WatchPrograms $path
    Adopted $path
    Announce $path
}

# Have a procedure called when an interpreter calls a command whose first argument
# matches.  A script that deletes our namespace there takes the trace along: its
# commands must work all the same.
#   operations  of an execution trace: enter, leave
#   pattern     a glob pattern for the first argument
#   procedure   its name below ::kafkatcl; it gets the path, the words of the call as a
#               list, and what a trace gets behind them
#   Errors      if there is no such command
proc ::kafkatcl::Watch {path command operations pattern procedure} {
    set trace [list $operations [list ::kafkatcl::up Seen $pattern $procedure]]
    interp eval $path [list trace add execution $command {*}$trace]
    interp eval $path [list trace add command ::kafkatcl::up delete \
        [list ::apply [list args [list catch [list trace remove execution $command {*}$trace]]]]]
}

# The trace on a command that is watched.  It returns the result that it was told: what
# a leave trace returns is, for the next trace, the result of the command
# (TraceExecutionProc takes it from the interpreter).
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclTrace.c
proc ::kafkatcl::Seen {path pattern procedure command args} {
    if {[string match $pattern [lindex $command 1]]} {
        $procedure $path $command {*}$args
    }
    return [lindex $args end-1]
}

# The trace on `interp create` before it: have Created called at its end.  A trace that
# was there all the time to see the end of each call of `interp` might find no room for
# nested calls, if the call has set their limit.
proc ::kafkatcl::Creating {path command operation} {
    variable isMaking
    if {!$isMaking && ![catch {Within $path [list namespace origin [lindex $command 0]]} name]} {
        Within $path [list trace add execution $name leave [list ::kafkatcl::up Created $name]]
    }
}

# The trace on `interp create` after it: a child that was created gets the package.  A
# safe child gets only what its host gives it.
proc ::kafkatcl::Created {path name command code result operation} {
    Within $path [list trace remove execution $name leave [list ::kafkatcl::up Created $name]]
    if {$code == 0 && [string match cr* [lindex $command 1]]} {
        set child [list {*}$path {*}$result]
        if {![interp issafe $child]} {
            Adopt $child
        }
    }
    return $result
}

# Evaluate a script at global level in an interpreter.  For this one that is done
# without the command `interp`, whose traces are at work.
proc ::kafkatcl::Within {path script} {
    if {[llength $path]} {
        return [interp eval $path $script]
    }
    return [namespace eval :: $script]
}

# The trace on the command of a child, before it is deleted: see ::kafkatcl::Settle, in
# the child and in its own children.
#   path  that of the child's parent
#   name  that of the child in it
proc ::kafkatcl::ChildGoing {path name args} {
    variable loaded
    set child [list {*}$path $name]
    foreach {session has} [array get loaded] {
        if {[lrange $has 0 [llength $child]-1] eq $child} {
            catch {sessions::$session Settle}
        }
    }
}

# The trace on the alias that leads into a child, which Tcl deletes with the child:
# delete the objects of its session.
proc ::kafkatcl::ChildGone {session args} {
    variable loaded
    unset -nocomplain loaded($session)
    bridge::events_spin $session 0
    bridge::close_session $session
}
