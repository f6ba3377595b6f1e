# kafka.tcl --
#
#   The package kafka: its files, each behind those that it needs.  Whoever sources this
#   file has set ::kafkatcl::session to the session of this interpreter, and has made
#   the bridge calls, commands of the namespace ::kafkatcl::bridge:
#   kafkatcl/bridge/calls/ says what each takes and answers.
#
#   How the comments of all files describe a procedure that other files call: its
#   arguments with their units, then the Result, the Errors, and the Level where it
#   works by `upvar` or `uplevel` (1 is its caller).  What does not stand there is
#   empty, does not happen, or is said by the name.  Everywhere,
#
#     id       is the object id of an object; a handle, a topic or a queue by its object
#              id, too
#     session  is the session of an interpreter
#     path     is the path of an interpreter as `interp` takes it, empty for this one
#     words    are those behind a subcommand, without its options
#     prefix   is a command prefix of the script
#     answer   is what a bridge call returned, see answers.tcl
#
#   What a bridge call fails with passes through ::kafkatcl::Unwrap, with the message
#   and the errorCode of the engine; only errors made in Tcl are listed.

namespace eval ::kafka {}
namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
}

foreach file {
    core answers failures layouts table commands background object secrets waits events turns ahead messages
    batches rebalance walks arrivals channels master handle topic producing subscriber share_subscriber forms control
    transactions easy help
} {
    source [file join $::kafkatcl::library $file.tcl]
}
unset file

# The command kafka::kafka: its subcommands are the rows of the kind `kafka`.
proc ::kafka::kafka {{subcommand {}} args} [::kafkatcl::Body kafka kafka]

# Before the end of the interpreter: what channels hold is handed over, and what
# callbacks were told, and what was read, counts as consumed; rebalance callbacks are
# told that their partitions are revoked.
proc ::kafkatcl::Settle {} {
    channels::Settle
    Acknowledge
    rebalance::LeaveAll
}

# Call a procedure of the package, from the interpreter that has loaded all others: by
# way of ::kafkatcl::sessions, see interpreters.tcl.
#   procedure  its name below ::kafkatcl, as in events::OnTurn
#   Result     that of the procedure; its errors are passed on
proc ::kafkatcl::Do {procedure args} {
    return [$procedure {*}$args]
}

::kafkatcl::core::Use ::kafkatcl
::kafkatcl::core::Use ::kafka
