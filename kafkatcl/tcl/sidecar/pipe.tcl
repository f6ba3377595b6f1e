# pipe.tcl --
#
#   The pipe to the sidecar.  It is in the interpreter of loop.tcl, where no script
#   finds it.

# Move the pipe to another interpreter, and make the commands that use it: Write,
# ReadPipe, Configure, and IsAtEnd.  In the interpreter of loop.tcl it gives events.
#   to  the path of that interpreter, or empty to have the pipe here
proc ::kafkatcl::sidecar::MovePipe {to} {
    variable pipe
    variable place
    if {$pipe eq ""} {
        return
    }
    if {$to eq ""} {
        interp eval $place [list fileevent $pipe readable {}]
    }
    interp transfer $place $pipe $to
    set place $to
    interp alias {} ::kafkatcl::sidecar::Write $place puts -nonewline $pipe
    interp alias {} ::kafkatcl::sidecar::ReadPipe $place read $pipe
    interp alias {} ::kafkatcl::sidecar::Configure $place fconfigure
    interp alias {} ::kafkatcl::sidecar::IsAtEnd $place eof $pipe
    if {$to ne ""} {
        Listen
    }
}

# Have events when something comes through the pipe.  Tcl 8.6 waits for files with
# select(), which takes no descriptors from 1024 on
# (https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixNotfy.c): then the pipe is
# looked after every 10 ms.
proc ::kafkatcl::sidecar::Listen {} {
    variable pipe
    variable place
    interp alias $place ready {} ::kafkatcl::sidecar::Readable
    interp alias $place look {} ::kafkatcl::sidecar::Look
    if {[scan $pipe file%d descriptor] != 1 || $descriptor < 1024} {
        interp eval $place [list fileevent $pipe readable ready]
    } else {
        interp eval $place {
            proc every {} {
                after 10 every
                look
            }
            every
        }
    }
}

# Have Tcl set up its notifier now.  Tcl does so at its first wait, and ends the process
# if there is no descriptor below 1024 left then (NotifierThreadProc in
# https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixNotfy.c).
# No event of the script may run here: where one might, this is left out.
proc ::kafkatcl::sidecar::StartEvents {} {
    variable place
    foreach command {::thread::id ::tkwait} {
        if {[namespace which -command $command] ne ""} {
            return
        }
    }
    foreach channel [chan names] {
        if {[HasEvents $channel]} {
            return
        }
    }
    if {[llength [after info]] == 0} {
        interp eval $place {after 0 {set started 1}; vwait started}
    }
}

# Whether a channel has a script for its events.
proc ::kafkatcl::sidecar::HasEvents {channel} {
    foreach direction {readable writable} {
        if {![catch {chan event $channel $direction} script] && $script ne ""} {
            return 1
        }
    }
    return 0
}

# Read bytes, and wait for them.
#   count   how many
#   Result  fewer at the end of the pipe
proc ::kafkatcl::sidecar::Read {count} {
    if {[catch {ReadPipe $count} bytes]} {
        return
    }
    return $bytes
}

# Read what is there, without waiting for it.
#   Result  the header of a frame, or nothing
proc ::kafkatcl::sidecar::ReadNow {} {
    variable pipe
    variable header
    Configure $pipe -blocking 0
    set begin [Read $header]
    Configure $pipe -blocking 1
    if {$begin ne ""} {
        append begin [Read [expr {$header - [::tcl::string::length $begin]}]]
    }
    return $begin
}

# Close the pipe, and wait for the sidecar to end.
#   Errors  CHILDSTATUS or CHILDKILLED if it did not end well, as `close` says
proc ::kafkatcl::sidecar::ClosePipe {} {
    variable pipe
    variable place
    set channel $pipe
    set pipe {}
    interp eval $place [list close $channel]
}
