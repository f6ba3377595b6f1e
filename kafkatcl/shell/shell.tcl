# What kafkatclsh adds to an interpreter of tkinter to make it one of tclsh.

namespace eval ::kafkatcl::shell {
    variable executable {}    ;# the path of kafkatclsh
    # What Tcl calls the children of an interpreter depends on its version.
    variable children [expr {[catch {interp children}] ? "slaves" : "children"}]
    variable traces {}        ;# those taken off the command interp
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

# The next line of standard input in a list, or nothing at its end.  A standard input that the script made
# non-blocking is asked again at once, as tclsh does.
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

# tkinter takes Tcl's own exit away.  The text of the new one stands in every interpreter: an error that came through
# an alias would show in errorInfo.
proc ::kafkatcl::shell::DefineExit {path} {
    interp eval $path [list proc ::exit {{returnCode 0}} {
        # An empty string repeated: the one check of integers with the errors of Tcl's own exit.
        if {[catch {string repeat {} $returnCode} message options]} {
            return -code error -errorcode [dict get $options -errorcode] $message
        }
        ::kafkatcl::shell::Exit [expr {$returnCode & 0xff}]
    }]
}

proc ::kafkatcl::shell::Exit {status} {
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

# Write out and close the channels of all interpreters.
proc ::kafkatcl::shell::CloseChannels {} {
    foreach path [Interpreters {}] {
        catch {
            foreach channel [interp eval $path {chan names}] {
                CloseChannel $path $channel
            }
        }
    }
}

# Standard channels stay open for last words; a pipeline's commands are not waited for, as at the end of tclsh.
proc ::kafkatcl::shell::CloseChannel {path channel} {
    catch {interp eval $path [list chan configure $channel -blocking 1]}
    catch {interp eval $path [list chan flush $channel]}
    if {$channel in {stdin stdout stderr}} {
        return
    }
    catch {
        if {[interp eval $path [list pid $channel]] ne ""} {
            interp eval $path [list chan configure $channel -blocking 0]
        }
    }
    catch {interp eval $path [list chan close $channel]}
}

# A trace of the command interp in the interpreter at `parent`: see to the children it has created.  The `result` would
# name them, but only to the first of several traces.
proc ::kafkatcl::shell::Created {parent command code result operation} {
    if {$code == 0 && [string match cr* [lindex $command 1]]} {
        foreach path [lrange [Interpreters $parent] 1 end] {
            if {![interp issafe $path] && [interp alias $path ::kafkatcl::shell::Exit] eq ""} {
                Adopt $path
            }
        }
    }
}

# The exit of a child ends the process too, with all that belongs to an end.
proc ::kafkatcl::shell::Adopt {path} {
    DefineExit $path
    interp alias $path ::kafkatcl::shell::Exit {} ::kafkatcl::shell::Exit
    interp alias $path ::kafkatcl::shell::Created {} ::kafkatcl::shell::Created $path
    interp alias $path ::tcl::info::nameofexecutable {} ::tcl::info::nameofexecutable
    interp eval $path {trace add execution ::interp leave ::kafkatcl::shell::Created}
}

::kafkatcl::shell::DefineExit {}
trace add execution ::interp leave {::kafkatcl::shell::Created {}}

# Unwind what runs.  A trace on the command interp would swallow the cancellation, so there is none until Resume.
proc ::kafkatcl::shell::Cancel {} {
    variable traces [trace info execution ::interp]
    foreach trace $traces {
        trace remove execution ::interp {*}$trace
    }
    interp cancel -unwind -- {} interrupted
}

# After the end of what was cancelled: put the traces back, the oldest first, as they were.
proc ::kafkatcl::shell::Resume {} {
    variable traces
    foreach trace [lreverse $traces] {
        trace add execution ::interp {*}$trace
    }
    set traces {}
}

# Have what is written to these channels, which are the terminal's, pass by `above`: a command is being typed.
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
