# install.tcl --
#
#   Make `package require kafka` work in this interpreter and in the children it will make.  The bridge has made
#   the primitive ::kafkatcl::bridge::open_session, which gives the session of an interpreter by its path (empty for
#   this one); all others are there after its first call.

namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
    variable version 2.5
}

# Load the package into the interpreter of this path.
proc ::kafkatcl::Load {path} {
    variable library
    lassign [bridge::open_session $path] status session
    if {[llength $path]} {
        foreach name [info commands ::kafkatcl::bridge::*] {
            interp alias $path $name {} $name
        }
    }
    interp eval $path [list set ::kafkatcl::session $session]
    interp eval $path [list source -encoding utf-8 [file join $library kafka.tcl]]
}

# Announce the package to the interpreter of this path.  A script that asks for version 1 gets the same commands.
proc ::kafkatcl::Announce {path} {
    variable version
    foreach announced [list $version 1.9] {
        interp eval $path [list package ifneeded kafka $announced \
            "::kafkatcl::load; package provide kafka $announced"]
    }
}

# The trace on `interp`: a child that was created gets the package too, but a safe one only what its host gives
# it.  `parent` is the path of the interpreter that made it.  What a trace returns is the result that the next
# trace is told.
proc ::kafkatcl::ChildMade {parent command code result operation} {
    if {$code == 0 && [string match cr* [lindex $command 1]]} {
        set path [list {*}$parent {*}$result]
        if {![interp issafe $path]} {
            Adopt $path
        }
    }
    return $result
}

# The trace on `interp` before a child is deleted, which would not delete its objects.
proc ::kafkatcl::ChildGoing {parent command operation} {
    if {[string match del* [lindex $command 1]]} {
        foreach name [lrange $command 2 end] {
            DeleteObjects [list {*}$parent {*}$name]
        }
    }
}

# Delete all objects of the interpreter of this path, and of its children.
proc ::kafkatcl::DeleteObjects {path} {
    if {[catch {interp slaves $path} names]} {
        return
    }
    foreach name $names {
        DeleteObjects [list {*}$path $name]
    }
    catch {interp eval $path ::kafkatcl::DeleteCommands}
}

# Give a child what this interpreter has.
proc ::kafkatcl::Adopt {path} {
    interp eval $path {namespace eval ::kafkatcl {}}
    interp alias $path ::kafkatcl::load {} ::kafkatcl::Load $path
    interp alias $path ::kafkatcl::childMade {} ::kafkatcl::ChildMade $path
    interp alias $path ::kafkatcl::childGoing {} ::kafkatcl::ChildGoing $path
    interp eval $path {
        trace add execution ::interp leave ::kafkatcl::childMade
        trace add execution ::interp enter ::kafkatcl::childGoing
    }
    Announce $path
    Adopted $path
}

# What else is to be done there; the sidecar has something.
if {[info commands ::kafkatcl::Adopted] eq ""} {
    proc ::kafkatcl::Adopted {path} {}
}

interp alias {} ::kafkatcl::load {} ::kafkatcl::Load {}
trace add execution ::interp leave {::kafkatcl::ChildMade {}}
trace add execution ::interp enter {::kafkatcl::ChildGoing {}}
::kafkatcl::Announce {}
