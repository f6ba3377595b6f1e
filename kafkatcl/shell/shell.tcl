# What kafkatclsh adds to an interpreter of tkinter to make it one of tclsh.

namespace eval ::kafkatcl::shell {
    variable executable {}    ;# the path of kafkatclsh
    # What Tcl calls the children of an interpreter depends on its version.
    variable children [expr {[catch {interp children}] ? "slaves" : "children"}]
    variable typing {}        ;# the channels that are the terminal on which a command is being typed
}

# The path of the interpreter at `path` and those of all below it.
proc ::kafkatcl::shell::Interpreters {path} {
    variable children
    set paths [list $path]
    foreach name [interp $children $path] {
        lappend paths {*}[Interpreters [list {*}$path $name]]
    }
    return $paths
}

proc ::tcl::info::nameofexecutable {} {
    return $::kafkatcl::shell::executable
}

# Set argv0, argv and argc from the bytes of the command line, converted as tclsh does.
proc ::kafkatcl::shell::SetArguments {name args} {
    global argv0 argv argc
    set argv0 [encoding convertfrom [encoding system] $name]
    set argv [lmap word $args {encoding convertfrom [encoding system] $word}]
    set argc [llength $argv]
}

# Refuse what is no boolean as the value of tcl_interactive.
proc ::kafkatcl::shell::KeepInteractiveBoolean {args} {
    variable interactive
    if {![string is boolean -strict $::tcl_interactive]} {
        set ::tcl_interactive $interactive
        return -code error "variable must have boolean value"
    }
    set interactive $::tcl_interactive
    if {![llength $args]} {
        trace add variable ::tcl_interactive write ::kafkatcl::shell::KeepInteractiveBoolean
    }
}

# The next line of standard input in a list, or nothing at its end.  A standard input
# that the script made non-blocking is asked again at once, as tclsh does.
proc ::kafkatcl::shell::GetLine {} {
    while {[chan gets stdin line] < 0} {
        if {![chan blocked stdin]} {
            return {}
        }
    }
    return [list $line]
}

# Serve events until standard input can be read.
proc ::kafkatcl::shell::AwaitInput {} {
    chan event stdin readable {set ::kafkatcl::shell::readable 1}
    vwait ::kafkatcl::shell::readable
    chan event stdin readable {}
}

# tkinter takes Tcl's own exit away.  The text of the new one stands in every
# interpreter: an error that came from another one would show in errorInfo.
proc ::kafkatcl::shell::DefineExit {path} {
    interp eval $path [list proc ::exit {{returnCode 0}} {
        # An empty string repeated: the one check of integers with the errors of Tcl's
        # own exit.
        if {[catch {string repeat {} $returnCode} message options]} {
            return -code error -errorcode [dict get $options -errorcode] $message
        }
        ::kafkatcl::up shell::Exit [expr {$returnCode & 0xff}]
    }]
}

proc ::kafkatcl::shell::Exit {path status} {
    StopTyping
    DestroyWindows
    CloseChannels
    leave $status
}

# Tk destroys its windows at the end: scripts have bindings for that.
proc ::kafkatcl::shell::DestroyWindows {} {
    foreach path [Interpreters {}] {
        catch {interp eval $path {package present Tk; destroy .}}
    }
}

# Write out and close the channels of all interpreters.  As in tclsh, a non-blocking one
# is only waited for if the environment variable says so.
proc ::kafkatcl::shell::CloseChannels {} {
    foreach path [Interpreters {}] {
        catch {
            foreach channel [interp eval $path {chan names}] {
                CloseChannel $path $channel
            }
        }
    }
}

# Standard channels stay open for last words; a pipeline's commands are not waited for,
# as at the end of tclsh.
proc ::kafkatcl::shell::CloseChannel {path channel} {
    if {[info exists ::env(TCL_FLUSH_NONBLOCKING_ON_EXIT)] && $::env(TCL_FLUSH_NONBLOCKING_ON_EXIT) ne "0"} {
        catch {interp eval $path [list chan configure $channel -blocking 1]}
    }
    catch {interp eval $path [list chan flush $channel]}
    if {$channel in {stdin stdout stderr}} {
        # The terminal may be that of others, too.
        catch {interp eval $path [list chan configure $channel -blocking 1]}
        return
    }
    catch {
        if {[interp eval $path [list pid $channel]] ne ""} {
            interp eval $path [list chan configure $channel -blocking 0]
        }
    }
    catch {interp eval $path [list chan close $channel]}
}

# The exit of a child ends the process too, with all that belongs to an end.
proc ::kafkatcl::Adopted {path} {
    shell::DefineExit $path
    interp eval $path [list proc ::tcl::info::nameofexecutable {} [list return $::kafkatcl::shell::executable]]
}

::kafkatcl::shell::DefineExit {}

# Have what is written to these channels, which are the terminal's, pass by `above`: a
# command is being typed.
proc ::kafkatcl::shell::StartTyping {channels} {
    variable typing
    foreach channel $channels {
        if {![catch {chan push $channel [list ::kafkatcl::shell::Pass $channel]}]} {
            lappend typing $channel
        }
    }
}

proc ::kafkatcl::shell::StopTyping {} {
    variable typing
    foreach channel $typing {
        catch {chan pop $channel}
    }
    set typing {}
}

# The transformation of a channel; see the manual of `chan push`.
proc ::kafkatcl::shell::Pass {channel method handle args} {
    switch -- $method {
        initialize {
            return {initialize finalize write}
        }
        write {
            lassign [above $channel {*}$args] status data
            if {$status eq 0} {
                return $data
            }
            return [lindex $args 0]
        }
    }
}

::kafkatcl::core::Use ::kafkatcl::shell
