# events.tcl --
#
#   How interpreters hear of events: by bells of the sidecar.  A bell that comes in
#   front of an answer is noted, and told as an event; one that comes otherwise is an
#   event of the pipe.

# The bridge call close_session: the interpreter of this session is gone.  What was
# granted for its objects is no more.
proc ::kafkatcl::bridge::close_session {session} {
    set answer [::kafkatcl::sidecar::Call close_session $session]
    if {[lindex $answer 0] eq 0} {
        foreach id [lindex $answer 1] {
            ::kafkatcl::sidecar::Revoke $id
        }
    }
}

# The pipe was readable while no answer was waited for: a bell, or the end.  Tcl's
# notifier thread may also have seen an answer that was read in the meantime
# (NotifierThreadProc in
# https://github.com/tcltk/tcl/blob/core-8-6-13/unix/tclUnixNotfy.c).
# Then nothing is there, and reading must not block.
#   Errors  KAFKA SIDECAR DIED, a background error
proc ::kafkatcl::sidecar::Readable {} {
    set begin [ReadNow]
    if {$begin ne "" || [IsAtEnd]} {
        lassign [Frame $begin] what body
        Unasked $what [Text $body]
        Ring
    }
}

# Do what a frame asks for that is no answer: a bell of a session, the end of a
# producer, or that of the sidecar.
#   what    the word for the frame, such as BELL
#   whose   the session, or the object id of the producer
#   Errors  KAFKA SIDECAR DIED at the end of the sidecar
proc ::kafkatcl::sidecar::Unasked {what whose} {
    switch $what {
        BELL {Note $whose}
        BELL_BACK {
            NoteRecall $whose
            Note $whose
        }
        REVOKED {Revoke $whose}
        LOST - INTERRUPTED {Died}
    }
}

# Note that a session has events, or must give some back, and have that told as an event
# of its own.
proc ::kafkatcl::sidecar::Note {session} {
    variable rung
    if {![llength $rung]} {
        ::kafkatcl::loop::Soon ::kafkatcl::sidecar::Ring
    }
    if {$session ni $rung} {
        lappend rung $session
    }
}

# Note that a session must give back some of what it took.
proc ::kafkatcl::sidecar::NoteRecall {session} {
    variable recalled
    if {$session ni $recalled} {
        lappend recalled $session
    }
}

# Note the bells that are there.
proc ::kafkatcl::sidecar::NoteBells {} {
    variable pipe
    while {$pipe ne "" && [set begin [ReadNow]] ne ""} {
        lassign [Frame $begin] what body
        Unasked $what [Text $body]
    }
}

# Tell the bells that were noted.
proc ::kafkatcl::sidecar::Ring {} {
    variable rung
    set sessions $rung
    set rung {}
    ::kafkatcl::interpreters::Ring $sessions
}

# Note and tell the bells that are there: where the pipe gives no events.
proc ::kafkatcl::sidecar::Look {} {
    NoteBells
    Ring
}

# The bridge call events_recalled.  The sidecar is asked only when its bell has said
# that the session must give something back.
proc ::kafkatcl::bridge::events_recalled {session} {
    variable ::kafkatcl::sidecar::recalled
    ::kafkatcl::sidecar::NoteBells
    if {$session ni $recalled} {
        return {0 {}}
    }
    set recalled [lsearch -all -inline -not -exact $recalled $session]
    return [::kafkatcl::sidecar::Call events_recalled $session]
}
