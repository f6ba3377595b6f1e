# shell.tcl --
#
#   What kafkatclsh adds to an interpreter of tkinter to make it one of tclsh.
#   Evaluated behind install.tcl, whose ::kafkatcl::Adopted it replaces.  The shell
#   makes two more commands: ::kafkatcl::shell::leave, which ends the process, and
#   ::kafkatcl::shell::above, which prints above the command that is being typed.

namespace eval ::kafkatcl::shell {
    variable executable {}    ;# the path of kafkatclsh; set by shell/paths.py
    # What the subcommand of `interp` is called that lists children; it was `slaves`
    # when Tcl 8.6 came.
    variable children [expr {[catch {interp children}] ? "slaves" : "children"}]
    variable typing {}        ;# channels with the transformation Pass, while a command is typed
}

# The paths of an interpreter and of all below it.
proc ::kafkatcl::shell::Interpreters {path} {
    variable children
    set paths [list $path]
    foreach name [interp $children $path] {
        lappend paths {*}[Interpreters [list {*}$path $name]]
    }
    return $paths
}

# The part `info nameofexecutable` of Tcl's command: kafkatclsh, and not Python.
proc ::tcl::info::nameofexecutable {} {
    return $::kafkatcl::shell::executable
}

# Set argv0, argv and argc, with characters as tclsh makes them of the command line.
#   name  of the script, or of the shell, as bytes
#   args  the arguments, as bytes
proc ::kafkatcl::shell::SetArguments {name args} {
    global argv0 argv argc
    set argv0 [encoding convertfrom [encoding system] $name]
    set argv [lmap word $args {encoding convertfrom [encoding system] $word}]
    set argc [llength $argv]
}

# Have tcl_interactive be a boolean from now on.  In tclsh the variable is linked to
# one:
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclMain.c
#   args    none, or those of the trace
#   Errors  where a script writes anything else; the variable is set back
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

# Read the next line of standard input.  One that the script has made non-blocking is
# asked again at once, as tclsh does:
# https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclMain.c
#   Result  a list of one, or empty at the end
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

# Give an interpreter the command `exit`, which tkinter takes away (Tkapp_New in
# https://github.com/python/cpython/blob/v3.11.7/Modules/_tkinter.c).
# The text of the new one stands in every interpreter: an error that came from another
# one would show in errorInfo.
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

# End the process, from an interpreter that calls `exit`.
#   status  0 to 255
proc ::kafkatcl::shell::Exit {path status} {
    StopTyping
    DestroyWindows
    CloseChannels
    leave $status
}

# Destroy the windows of Tk in all interpreters, as Tk does at the end
# (DeleteWindowsExitProc in
# https://github.com/tcltk/tk/blob/core-8-6-13/generic/tkWindow.c):
# scripts have bindings for that.
proc ::kafkatcl::shell::DestroyWindows {} {
    foreach path [Interpreters {}] {
        catch {interp eval $path {package present Tk; destroy .}}
    }
}

# Write out and close the channels of all interpreters, as at the end of tclsh: a
# non-blocking one is only waited for if TCL_FLUSH_NONBLOCKING_ON_EXIT says so.
# https://www.tcl-lang.org/man/tcl8.6/TclCmd/close.htm
proc ::kafkatcl::shell::CloseChannels {} {
    foreach path [Interpreters {}] {
        catch {
            foreach channel [interp eval $path {chan names}] {
                CloseChannel $path $channel
            }
        }
    }
}

# Close a channel.  Standard channels stay open for last words; a pipeline's commands
# are not waited for, as at the end of tclsh.
proc ::kafkatcl::shell::CloseChannel {path channel} {
    if {[info exists ::env(TCL_FLUSH_NONBLOCKING_ON_EXIT)] && $::env(TCL_FLUSH_NONBLOCKING_ON_EXIT) ne "0"} {
        catch {interp eval $path [list chan configure $channel -blocking 1]}
    }
    catch {interp eval $path [list chan flush $channel]}
    if {$channel in {stdin stdout stderr}} {
        # Other programs may have the same terminal, which would not block for them.
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

# The package is announced to an interpreter.  From now on its `exit` ends the process,
# with all that belongs to an end.
proc ::kafkatcl::Adopted {path} {
    shell::DefineExit $path
    interp eval $path [list proc ::tcl::info::nameofexecutable {} [list return $::kafkatcl::shell::executable]]
}

::kafkatcl::shell::DefineExit {}

# A command is being typed: have what is written to the terminal pass by `above`.
#   channels  those that are the terminal's
proc ::kafkatcl::shell::StartTyping {channels} {
    variable typing
    foreach channel $channels {
        if {![catch {chan push $channel [list ::kafkatcl::shell::Pass $channel]}]} {
            lappend typing $channel
        }
    }
}

# No command is being typed any more: undo StartTyping.
proc ::kafkatcl::shell::StopTyping {} {
    variable typing
    foreach channel $typing {
        catch {chan pop $channel}
    }
    set typing {}
}

# The transformation of a channel
# (https://www.tcl-lang.org/man/tcl8.6/TclCmd/transchan.htm): what `above` answers is
# written; what is written as it is, if that fails.
#   channel  that of StartTyping
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
