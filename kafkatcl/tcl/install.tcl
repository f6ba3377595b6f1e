# install.tcl --
#
#   Make `package require kafka` work in this interpreter and in the children it will
#   make.  Whoever sources this file has set ::kafkatcl::version, and has made the
#   bridge calls ::kafkatcl::bridge::open_session, which answers the session of an
#   interpreter, and close_session; all others are there after the first call of
#   open_session.

namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
    variable fronts  ;# kinds of objects whose commands may be in C
    if {![info exists fronts]} {
        set fronts {}
    }
}

# Put a command in C in front of the procedure of an object, in an interpreter.
#   Result  0 if that cannot be
proc ::kafkatcl::Front {path kind id name procedure} {
    # The package itself may be loaded in a child only, so there may be no Unwrap here.
    lassign [bridge::front $path $kind $id $name $procedure] status isMade
    return [expr {$status ne 1 && $isMade}]
}

# Load the package into an interpreter.
#   Errors  those of open_session, such as that no more descriptors are left
proc ::kafkatcl::Load {path} {
    variable library
    variable loaded
    loop::Make
    lassign [bridge::open_session] status session code
    if {$status eq 1} {
        return -code error -errorcode $code $session
    }
    interpreters::Lead $session $path
    if {[llength $path]} {
        set loaded($session) $path
        trace add command ::kafkatcl::sessions::$session delete [list ::kafkatcl::ChildGone $session]
        foreach name [info commands ::kafkatcl::bridge::*] {
            interp alias $path $name {} $name
        }
    }
    interp eval $path [list set ::kafkatcl::session $session]
    interp eval $path [list set ::kafkatcl::fronts $::kafkatcl::fronts]
    interp eval $path [list source -encoding utf-8 [file join $library kafka.tcl]]
    # What is caught while the package loads leaves an errorCode that differs from shell
    # to shell; scripts must not see it.
    interp eval $path [list set ::errorCode NONE]
}

# Load the package into this interpreter: what `package ifneeded` calls.  Children have
# a command of this name, which leads to Load.
proc ::kafkatcl::load {} {
    Load {}
}

# Announce the package to an interpreter.  A script that asks for version 1 gets the
# same commands.
proc ::kafkatcl::Announce {path} {
    variable version
    foreach announced [list $version 1.9] {
        interp eval $path [list package ifneeded kafka $announced \
            "::kafkatcl::load; package provide kafka $announced"]
    }
}

# What else is to be done in an interpreter to which the package is announced:
# programs.tcl, the sidecar and the shell have procedures of these names.
foreach procedure {WatchPrograms Adopted} {
    if {[info commands ::kafkatcl::$procedure] eq ""} {
        proc ::kafkatcl::$procedure {path} {}
    }
}
unset procedure

foreach file {core interpreters loop children} {
    if {![namespace exists ::kafkatcl::$file]} {
        source -encoding utf-8 [file join $::kafkatcl::library $file.tcl]
    }
}
unset file

::kafkatcl::core::Use ::kafkatcl
::kafkatcl::Follow {}
