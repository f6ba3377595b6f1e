# events.tcl --
#
#   How interpreters hear of events: by bells of the sidecar.

# The interpreter of this session is gone.
proc ::kafkatcl::bridge::close_session {session} {
    set answer [::kafkatcl::sidecar::Call close_session $session]
    if {[lindex $answer 0] eq 0} {
        foreach id [lindex $answer 1] {
            ::kafkatcl::sidecar::Revoke $id
        }
    }
}

# The pipe was readable while no answer was waited for: a bell, or the end.  Tcl's
# notifier thread may also have seen an answer that was read in the meantime.  Then
# nothing is there, and reading must not block.
proc ::kafkatcl::sidecar::Readable {} {
    set begin [ReadNow]
    if {$begin ne "" || [IsAtEnd]} {
        lassign [Frame $begin] what body
        Unasked $what [Text $body]
        Ring
    }
}

# What came by itself: a bell of a session, the end of a producer, or that of the
# sidecar.
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

# A bell: a session has events, or must give some back.  It is told as an event of its
# own.
proc ::kafkatcl::sidecar::Note {session} {
    variable rung
    if {![llength $rung]} {
        ::kafkatcl::loop::Soon ::kafkatcl::sidecar::Ring
    }
    if {$session ni $rung} {
        lappend rung $session
    }
}

# A session must give back some of what it took.
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

# Tell the bells that are there: where the pipe gives no events.
proc ::kafkatcl::sidecar::Look {} {
    NoteBells
    Ring
}

# What a session must give back: the sidecar is only asked when its bell says that there
# is something.
proc ::kafkatcl::bridge::events_recalled {session} {
    variable ::kafkatcl::sidecar::recalled
    ::kafkatcl::sidecar::NoteBells
    if {$session ni $recalled} {
        return {0 {}}
    }
    set recalled [lsearch -all -inline -not -exact $recalled $session]
    return [::kafkatcl::sidecar::Call events_recalled $session]
}
