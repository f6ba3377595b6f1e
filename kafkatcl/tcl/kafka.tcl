# kafka.tcl --
#
#   The package kafka.  Whoever sources this has set ::kafkatcl::session to the session
#   of this interpreter, and has made the bridge calls, commands of the namespace
#   ::kafkatcl::bridge (see bridge/calls/ for what they take).

namespace eval ::kafka {}
namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
}

foreach file {core answers failures layouts table commands background object secrets waits events turns ahead messages master handle topic subscriber easy help} {
    source [file join $::kafkatcl::library $file.tcl]
}
unset file

proc ::kafka::kafka {{subcommand {}} args} [::kafkatcl::Body kafka kafka]

# Call a procedure of the package, named from here on: by way of ::kafkatcl::sessions,
# see loop.tcl.
proc ::kafkatcl::Do {procedure args} {
    return [$procedure {*}$args]
}

::kafkatcl::core::Use ::kafkatcl
::kafkatcl::core::Use ::kafka
