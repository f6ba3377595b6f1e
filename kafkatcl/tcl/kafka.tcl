# kafka.tcl --
#
#   The package kafka.  Whoever sources this has set ::kafkatcl::session to the session of this interpreter, and
#   has made the primitives, commands of the namespace ::kafkatcl::bridge (see bridge/calls/ for what they take).

namespace eval ::kafka {}
namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
}

foreach file {object secrets events ahead messages master handle topic subscriber easy} {
    source [file join $::kafkatcl::library $file.tcl]
}
unset file

proc ::kafka::kafka {{subcommand {}} args} [::kafkatcl::Body kafka kafka]
