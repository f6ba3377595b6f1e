# interpreters.tcl --
#
#   The interpreters that have loaded the package: this one and its children, each known
#   by its session.  Both bridges reach them here.

# Commands named like sessions, which lead into their interpreters.  The command
# `interp`, which has traces, takes ten times as long.
namespace eval ::kafkatcl::sessions {}

namespace eval ::kafkatcl::interpreters {}

# Make the command of a session, which leads into the interpreter of this path.  Tcl
# deletes an alias with the interpreter that it leads to, in whatever way that comes
# about.
proc ::kafkatcl::interpreters::Lead {session path} {
    if {![llength $path]} {
        proc ::kafkatcl::sessions::$session args {::kafkatcl::Do {*}$args}
        return
    }
    interp alias {} ::kafkatcl::sessions::$session $path ::kafkatcl::Do
}

# The names of all sessions.
proc ::kafkatcl::interpreters::Sessions {} {
    return [lmap command [info commands ::kafkatcl::sessions::*] {namespace tail $command}]
}

# Call a procedure of the package in the interpreters of some sessions.
proc ::kafkatcl::interpreters::Alert {procedure args} {
    foreach session $args {
        if {[catch {::kafkatcl::sessions::$session $procedure}]
                && [namespace which -command ::kafkatcl::sessions::$session] ne ""} {
            # It has no room for nested calls just now.
            ::kafkatcl::loop::Later 20 $session $procedure
        }
    }
}

# Some sessions have events to take.
proc ::kafkatcl::interpreters::Ring {sessions} {
    tailcall ::kafkatcl::interpreters::Alert events::OnBell {*}$sessions
}

# Before the end: what callbacks were told, and what was read, counts as consumed.
proc ::kafkatcl::interpreters::Settle {} {
    foreach session [Sessions] {
        catch {::kafkatcl::sessions::$session Acknowledge}
    }
}

# There will be no callbacks any more: end every wait for them with an error.
proc ::kafkatcl::interpreters::EndWaits {message code} {
    foreach session [Sessions] {
        catch {::kafkatcl::sessions::$session waits::EndAll $message $code}
    }
}
