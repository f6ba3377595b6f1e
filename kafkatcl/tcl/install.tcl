# install.tcl --
#
#   Make `package require kafka` work in this interpreter and in the children it will make.  The bridge has made
#   the primitive ::kafkatcl::bridge::open_session, which gives the session of an interpreter by its path (empty for
#   this one), and close_session; all others are there after the first call.

namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
    variable version 2.5
}

# Load the package into the interpreter of this path.
proc ::kafkatcl::Load {path} {
    variable library
    loop::Make
    lassign [bridge::open_session $path] status session code
    if {$status eq 1} {
        return -code error -errorcode $code $session
    }
    loop::Lead $session $path
    if {[llength $path]} {
        trace add command ::kafkatcl::sessions::$session delete [list ::kafkatcl::ChildGone $session]
        foreach name [info commands ::kafkatcl::bridge::*] {
            interp alias $path $name {} $name
        }
    }
    interp eval $path [list set ::kafkatcl::session $session]
    interp eval $path [list source -encoding utf-8 [file join $library kafka.tcl]]
    # What was tried on the way is nobody's business, and not the same in each shell.
    interp eval $path [list set ::errorCode NONE]
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

# The trace on the command of a child, before it is deleted: what it was told until now counts as consumed.
proc ::kafkatcl::ChildGoing {path args} {
    catch {
        foreach name [interp slaves $path] {
            ChildGoing [list {*}$path $name]
        }
    }
    catch {interp eval $path ::kafkatcl::Settle}
}

# The trace on what links the session of a child to it, after it was deleted: its objects go too.
proc ::kafkatcl::ChildGone {session args} {
    bridge::events_spin $session 0
    bridge::close_session $session
}

# Give a child what this interpreter has.
proc ::kafkatcl::Adopt {path} {
    interp eval $path {namespace eval ::kafkatcl {}}
    interp alias $path ::kafkatcl::load {} ::kafkatcl::Load $path
    interp alias $path ::kafkatcl::childMade {} ::kafkatcl::ChildMade $path
    interp alias $path ::kafkatcl::childGoing {} ::kafkatcl::ChildGoing
    interp eval $path {trace add execution ::interp leave ::kafkatcl::childMade}
    # Its parent may be older than the package, and not have this command.
    interp eval [lrange $path 0 end-1] \
        [list trace add command ::[lindex $path end] delete [list ::kafkatcl::childGoing $path]]
    WatchPrograms $path
    Announce $path
    Adopted $path
}

# What else is to be done there; the sidecar has something.
if {[info commands ::kafkatcl::Adopted] eq ""} {
    proc ::kafkatcl::Adopted {path} {}
}

foreach file {core loop} {
    if {![namespace exists ::kafkatcl::$file]} {
        source -encoding utf-8 [file join $::kafkatcl::library $file.tcl]
    }
}
unset file

# Look out for programs that the interpreter of this path runs: see programs.tcl, where that is needed.
proc ::kafkatcl::WatchPrograms {path} {}

::kafkatcl::core::Use ::kafkatcl
interp alias {} ::kafkatcl::load {} ::kafkatcl::Load {}
interp alias {} ::kafkatcl::childGoing {} ::kafkatcl::ChildGoing
trace add execution ::interp leave {::kafkatcl::ChildMade {}}
::kafkatcl::Announce {}
