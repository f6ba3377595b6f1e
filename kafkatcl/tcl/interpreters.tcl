# interpreters.tcl --
#
#   The interpreters that have loaded the package: this one and its children, each known
#   by its session.  Both bridges reach them here.

# Commands named like sessions, which lead into their interpreters: each calls
# ::kafkatcl::Do there with its words.  The command `interp`, which has traces, takes
# ten times as long.
namespace eval ::kafkatcl::sessions {}

namespace eval ::kafkatcl::interpreters {}

# Make the command of a session, which leads into an interpreter.  Tcl deletes an alias
# with the interpreter that it leads to, in whatever way that comes about
# (InterpInfoDeleteProc in
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclInterp.c).
proc ::kafkatcl::interpreters::Lead {session path} {
    if {![llength $path]} {
        proc ::kafkatcl::sessions::$session args {::kafkatcl::Do {*}$args}
        return
    }
    interp alias {} ::kafkatcl::sessions::$session $path ::kafkatcl::Do
}

# The sessions of all interpreters that have the package.
proc ::kafkatcl::interpreters::Sessions {} {
    return [lmap command [info commands ::kafkatcl::sessions::*] {namespace tail $command}]
}

# Call a procedure of the package in the interpreters of some sessions.  Where it fails,
# since there is no room for nested calls just now, it is called again after 20 ms.
#   procedure  its name below ::kafkatcl
#   args       sessions
proc ::kafkatcl::interpreters::Alert {procedure args} {
    foreach session $args {
        if {[catch {::kafkatcl::sessions::$session $procedure}]
                && [namespace which -command ::kafkatcl::sessions::$session] ne ""} {
            # The interpreter has no room for nested calls just now.
            ::kafkatcl::loop::Later 20 $session $procedure
        }
    }
}

# Tell sessions that the engine has events for them.  Called as an event, by both
# bridges.
#   sessions  a list
proc ::kafkatcl::interpreters::Ring {sessions} {
    tailcall ::kafkatcl::interpreters::Alert events::OnBell {*}$sessions
}

# Before the end: see ::kafkatcl::Settle, in all interpreters.
proc ::kafkatcl::interpreters::Settle {} {
    foreach session [Sessions] {
        catch {::kafkatcl::sessions::$session Settle}
    }
}

# End every wait for callbacks with an error, as there will be none any more.
#   message  of the error
#   code     its errorCode
proc ::kafkatcl::interpreters::EndWaits {message code} {
    foreach session [Sessions] {
        catch {::kafkatcl::sessions::$session waits::EndAll $message $code}
    }
}
