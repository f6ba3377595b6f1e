# children.tcl --
#
#   Child interpreters have the package, too.  What they need of this interpreter, and
#   what it wants to know of them, goes through their gates.  A gate is an interpreter
#   in the child, with a command that leads here: so `interp aliases` of the child tells
#   of those only that the script has made.

namespace eval ::kafkatcl {
    variable gates 0        ;# counts those made
    variable isMaking 0     ;# whether an interpreter is made that is none of the script's
    variable loaded         ;# session -> the path of the interpreter that has loaded the package
    array set loaded {}
}

# Call a procedure of this namespace, with the path of the interpreter that calls it.
# Children have this command, too.
proc ::kafkatcl::up {procedure args} {
    tailcall ::kafkatcl::$procedure {} {*}$args
}

proc ::kafkatcl::UpFrom {path procedure args} {
    tailcall ::kafkatcl::$procedure $path {*}$args
}

# Give a child a gate.
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
# goes with it.
proc ::kafkatcl::GateGone {path args} {
    if {[interp eval $path {namespace exists ::kafkatcl}]} {
        MakeGate $path
    }
}

# Give a child what this interpreter has.
proc ::kafkatcl::Adopt {path} {
    interp eval $path {
        namespace eval ::kafkatcl {}
        proc ::kafkatcl::up args {$::kafkatcl::gate invokehidden up {*}$args}
        proc ::kafkatcl::load {} {::kafkatcl::up Load}
    }
    MakeGate $path
    # Its parent may be older than the package, and not have this command.
    set name [lindex $path end]
    interp eval [lrange $path 0 end-1] [list trace add command ::$name delete [list ::kafkatcl::up ChildGoing $name]]
    Follow $path
}

# Announce the package to the interpreter of this path, and see what it does.
proc ::kafkatcl::Follow {path} {
    Watch $path ::interp enter cr* Creating
    WatchPrograms $path
    Adopted $path
    Announce $path
}

# Have a procedure called when the interpreter of this path calls a command whose first
# argument matches.  A script that deletes our namespace there takes this along: its
# commands must work all the same.
proc ::kafkatcl::Watch {path command operations pattern procedure} {
    set trace [list $operations [list ::kafkatcl::up Seen $pattern $procedure]]
    interp eval $path [list trace add execution $command {*}$trace]
    interp eval $path [list trace add command ::kafkatcl::up delete \
        [list ::apply [list args [list catch [list trace remove execution $command {*}$trace]]]]]
}

# The trace on such a command.  What it returns is the result that the next trace is
# told.
proc ::kafkatcl::Seen {path pattern procedure command args} {
    if {[string match $pattern [lindex $command 1]]} {
        $procedure $path $command {*}$args
    }
    return [lindex $args end-1]
}

# An interpreter is about to be created.  A trace that was always there to see the end
# of a call of `interp` might find no room for nested calls, if that is what was set.
proc ::kafkatcl::Creating {path command operation} {
    variable isMaking
    if {!$isMaking && ![catch {Within $path [list namespace origin [lindex $command 0]]} name]} {
        Within $path [list trace add execution $name leave [list ::kafkatcl::up Created $name]]
    }
}

# A child was created: it gets the package, too.  A safe child gets only what its host
# gives it.
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

# Evaluate a script in the interpreter of this path; not by the command `interp` of the
# one that is looked at.
proc ::kafkatcl::Within {path script} {
    if {[llength $path]} {
        return [interp eval $path $script]
    }
    return [namespace eval :: $script]
}

# The trace on the command of a child, before it is deleted: messages whose callback has
# run count as consumed.
proc ::kafkatcl::ChildGoing {path name args} {
    variable loaded
    set child [list {*}$path $name]
    foreach {session has} [array get loaded] {
        if {[lrange $has 0 [llength $child]-1] eq $child} {
            catch {sessions::$session Acknowledge}
        }
    }
}

# The trace on the alias that leads into a child, after the child was deleted: delete
# the objects of its session.
proc ::kafkatcl::ChildGone {session args} {
    variable loaded
    unset -nocomplain loaded($session)
    bridge::events_spin $session 0
    bridge::close_session $session
}
