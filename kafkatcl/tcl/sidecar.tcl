# sidecar.tcl --
#
#   The package kafka for an interpreter without Python.  The engine works in a process
#   of its own, the sidecar; the bridge calls of ::kafkatcl::bridge are carried over a
#   pipe to it.  All files from install.tcl on are the same as in interpreters of
#   Python. kafkatcl/sidecar/protocol.py says what passes.
#
#   In the files of sidecar/, a frame is named by a word of that protocol, such as LIST
#   or PRODUCE; `body` is its body, as bytes.

namespace eval ::kafkatcl {
    variable library [file dirname [file normalize [info script]]]
}

namespace eval ::kafkatcl::bridge {}

namespace eval ::kafkatcl::sidecar {
    variable protocol 6     ;# the number of the protocol that is spoken here
    variable header 8       ;# bytes before the body of a frame: its length, and what it is
    variable kind           ;# number -> what a frame from the sidecar is
    variable op             ;# what a frame to it is -> number
    variable said           ;# name -> what else it has said first, see kafkatcl/sidecar/hello.py
    variable pipe {}        ;# the channel to the sidecar, empty when there is none
    variable command {}     ;# what was started, a list
    variable process {}     ;# the process id of that
    variable owner [pid]    ;# the process id of the process that has started it
    variable death {}       ;# why there is no sidecar any more: a message and an errorCode
    variable place {}       ;# the path of the interpreter that the pipe is in
    variable rung {}        ;# sessions that have events and were not told to take them
    variable recalled {}    ;# sessions that must give back some of what they took
    variable isLeaving 0    ;# whether the end has begun
    variable grace 8000     ;# ms beyond the time for delivering that the sidecar gets to end
    # What the first frame may be.  The sidecar tells all kinds in it.
    array set kind {0 LIST 3 REFUSED}
}

source -encoding utf-8 [file join $::kafkatcl::library core.tcl]
foreach file {interpreters loop} {
    if {![namespace exists ::kafkatcl::$file]} {
        source -encoding utf-8 [file join $::kafkatcl::library $file.tcl]
    }
}
foreach file {python pipe produce frames events} {
    source -encoding utf-8 [file join $::kafkatcl::library sidecar $file.tcl]
}
unset file

# Start the sidecar, and make the bridge calls.
#   Errors  KAFKA SIDECAR PYTHON, LIMIT, or VERSION: there is no fit Python, no room for
#           a process, another version
proc ::kafkatcl::sidecar::Start {} {
    variable pipe
    variable command
    variable process
    variable death {}
    set command [Python]
    # -E: PYTHONHOME, PYTHONPATH and their kin are meant for another Python, see
    # https://docs.python.org/3/using/cmdline.html#cmdoption-E
    lappend command -E [file join [file dirname $::kafkatcl::library] sidecar __main__.py]
    set pipe [Open $command]
    set process [pid $pipe]
    fconfigure $pipe -translation binary -buffering none -buffersize 65536 -blocking 1
    ::kafkatcl::loop::Make
    MovePipe $::kafkatcl::loop::interp
    set ::kafkatcl::loop::movers ::kafkatcl::sidecar::MovePipe
    Hello
    MakeCalls
    MakeProduce
    StartEvents
}

# Start the process.
#   command  of Python, a list
#   Result   the channel to it
#   Errors   KAFKA SIDECAR LIMIT, KAFKA SIDECAR PYTHON
proc ::kafkatcl::sidecar::Open {command} {
    # What the sidecar prints on stderr goes where ours goes, if that is open.
    set errors [expr {"stderr" in [chan names] ? "@stderr" : "/dev/null"}]
    if {[catch {open |[list {*}$command 2>$errors] r+} channel options]} {
        if {[lindex [dict get $options -errorcode] 1] in {EMFILE ENFILE EAGAIN ENOMEM}} {
            return -code error -errorcode {KAFKA SIDECAR LIMIT} "the sidecar of package kafka cannot be started: $channel:\
                raise the limits of open files and processes (ulimit -n, -u), or close what is not needed"
        }
        return -code error -errorcode {KAFKA SIDECAR PYTHON} "$channel: [Advice]"
    }
    return $channel
}

# Take what the sidecar says first (kafkatcl/sidecar/hello.py), and set
# ::kafkatcl::version.
#   Errors  KAFKA SIDECAR PYTHON if the process has ended, KAFKA SIDECAR VERSION
proc ::kafkatcl::sidecar::Hello {} {
    variable command
    variable protocol
    variable said
    variable kind
    variable op
    if {[catch {Answer} answer options]} {
        lassign [dict get $options -errorcode] kafka sidecar what how
        if {$what eq "DIED"} {
            return -code error -errorcode {KAFKA SIDECAR PYTHON} \
                "\"$command\" ended ($how) before it was ready: [Advice]"
        }
        return -options $options $answer
    }
    lassign [lindex $answer 1] spoken facts
    if {$spoken != $protocol} {
        Differ "protocol $spoken" $protocol
    }
    array set said $facts
    array set kind $said(kinds)
    array set op $said(ops)
    set announced [package versions kafka]
    if {$said(version) ni $announced} {
        Differ "version $said(version)" \
            [lindex [lsort -command {package vcompare} $announced] end]
    }
    set ::kafkatcl::version $said(version)
}

# Refuse a sidecar of another version than that of the package, and close it.
#   found   the version it has
#   wanted  the version it should have
#   Errors  KAFKA SIDECAR VERSION, raised by the caller
proc ::kafkatcl::sidecar::Differ {found wanted} {
    Close
    return -level 2 -code error -errorcode {KAFKA SIDECAR VERSION} \
        "the sidecar of package kafka has $found instead of $wanted: [Advice]"
}

# Make the bridge calls that the sidecar has named, but for those that have a way of
# their own here.
proc ::kafkatcl::sidecar::MakeCalls {} {
    variable said
    foreach name $said(calls) {
        if {[info commands ::kafkatcl::bridge::$name] eq ""} {
            set way [expr {$name in $said(unanswered) ? "CallOneWay" : "Call"}]
            proc ::kafkatcl::bridge::$name args "::kafkatcl::sidecar::$way $name {*}\$args"
        }
    }
}

# -- calls -----------------------------------------------------------------------------

# Make a bridge call in the sidecar, and wait for its answer.
#   args    the name of the call, and its arguments
#   Result  the answer; an error answer if there is no sidecar any more
proc ::kafkatcl::sidecar::Call {args} {
    return [Ask CALL [Words $args]]
}

# The bridge call check_integer.  The sidecar is asked only about numbers that are
# written in an unusual way.
proc ::kafkatcl::bridge::check_integer {text} {
    if {[::kafkatcl::sidecar::IsPlain $text]} {
        return [list 0 $text]
    }
    return [::kafkatcl::sidecar::Call check_integer $text]
}

# Whether a word is a number as the sidecar writes it: -1, or 0 to 999999999 without
# signs and further zeros.
proc ::kafkatcl::sidecar::IsPlain {word} {
    return [regexp {^(-1|0|[1-9][0-9]{0,8})$} $word]
}

# Make a one-way call in the sidecar, and do not wait for its answer.
#   args    as those of Call
#   Result  empty, the answer it will have; an error answer if there is no sidecar any
#           more
proc ::kafkatcl::sidecar::CallOneWay {args} {
    if {[catch {Send ONE_WAY [Words $args]} result options]} {
        return [list 1 $result [dict get $options -errorcode]]
    }
    return
}

# Send a frame that is answered, and wait for its answer.
#   what    the word for the frame, such as CALL
#   args    the parts of its body, bytes
#   Result  the answer; an error answer if there is no sidecar any more
proc ::kafkatcl::sidecar::Ask {what args} {
    if {[catch {
        Send $what {*}$args
        Answer
    } result options]} {
        return [list 1 $result [dict get $options -errorcode]]
    }
    return $result
}

# Send a frame.
#   what    the word for the frame, such as CALL
#   body    the first part of its body, bytes
#   args    further parts
#   Errors  that of Check; KAFKA SIDECAR DIED
proc ::kafkatcl::sidecar::Send {what body args} {
    variable op
    Check
    set length [::tcl::string::length $body]
    foreach part $args {
        incr length [::tcl::string::length $part]
    }
    if {[catch {
        Write [::tcl::binary::format iia* $length $op($what) $body]
        foreach part $args {
            Write $part
        }
    }]} {
        Died
    }
}

# Wait for the next answer.  Bells in front of it are noted, see sidecar/events.tcl.
#   Errors  KAFKA SIDECAR DIED; KAFKA SIDECAR PYTHON if the sidecar refuses to work
proc ::kafkatcl::sidecar::Answer {} {
    variable header
    while 1 {
        lassign [Frame [Read $header]] what body
        switch $what {
            LIST {return [Text $body]}
            PARTS {return [Parts $body]}
            REFUSED {Refused [Text $body]}
            default {Unasked $what [Text $body]}
        }
    }
}

# Read the rest of a frame.
#   begin   its header, as bytes
#   Result  a list of two: the word for the frame, such as LIST, and its body
#   Errors  KAFKA SIDECAR DIED if the frame does not come whole
proc ::kafkatcl::sidecar::Frame {begin} {
    variable kind
    if {[::tcl::binary::scan $begin ii length number] != 2 || ![::tcl::info::exists kind($number)]
            || [::tcl::string::length [set body [Read $length]]] != $length} {
        Died
    }
    return [list $kind($number) $body]
}

# Refuse to go on without a sidecar, or in a process that shares one by accident.
#   Errors  KAFKA SIDECAR DIED; KAFKA FORKED
proc ::kafkatcl::sidecar::Check {} {
    variable pipe
    variable owner
    variable death
    if {[pid] != $owner} {
        lassign $::kafkatcl::sidecar::said(forked) message code
    } elseif {$pipe eq ""} {
        lassign $death message code
    } else {
        return
    }
    return -code error -errorcode $code $message
}

# -- the end ---------------------------------------------------------------------------

# The sidecar is gone: close the pipe, and have every further call and every wait fail.
#   Errors  KAFKA SIDECAR DIED HOW, raised by the caller
proc ::kafkatcl::sidecar::Died {} {
    variable death
    variable command
    set how [Close]
    set death [list "the sidecar of package kafka has ended ($how); what it had not delivered is lost.\
        Its command was: $command" [list KAFKA SIDECAR DIED $how]]
    # The error of this call may be a background error: waits end after that was told.
    ::kafkatcl::loop::AfterEvents [list ::kafkatcl::interpreters::EndWaits {*}$death]
    return -level 2 -code error -errorcode [lindex $death 1] [lindex $death 0]
}

# Close the pipe, which waits for the sidecar to end.  How it ended is in the errorCode:
# https://www.tcl-lang.org/man/tcl8.6/TclCmd/tclvars.htm
#   Result  "status N", or the name of a signal
proc ::kafkatcl::sidecar::Close {} {
    if {[catch ClosePipe message options]} {
        switch [lindex [dict get $options -errorcode] 0] {
            CHILDKILLED {return [lindex [dict get $options -errorcode] 2]}
            CHILDSTATUS {return "status [lindex [dict get $options -errorcode] 2]"}
        }
    }
    return "status 0"
}

# The package is announced to an interpreter, which may end the program: watch its
# `exit`.
proc ::kafkatcl::Adopted {path} {
    catch {Watch $path ::exit enter * sidecar::Leaving}
}

# The trace on `exit` before it: all is delivered first, and where messages were lost,
# the status of the process is not 0.
#   path     of the interpreter that calls `exit`
#   command  the words of the call
proc ::kafkatcl::sidecar::Leaving {path command operation} {
    variable isLeaving
    lassign $command name status
    if {[llength $command] == 1} {
        set status 0
    }
    if {$isLeaving || [llength $command] > 2 || [catch {string repeat {} $status}]} {
        return  ;# once is enough, and an error is no end
    }
    set other [Leave]
    if {$other == 130 || $other && ($status & 0xff) == 0} {
        interp eval $path [list $name $other]
    }
}

# Have everything delivered, and the sidecar end.  That is waited for; but when its time
# is over, the sidecar goes on without us.
#   Result  1 if messages were lost or the time is over, 130 if Ctrl-C has ended the
#           wait, 0 if all is well
proc ::kafkatcl::sidecar::Leave {} {
    variable pipe
    variable owner
    variable death
    if {[pid] != $owner} {
        return 0
    }
    variable isLeaving 1
    if {$pipe ne ""} {
        ::kafkatcl::interpreters::Settle
    }
    if {$pipe eq "" || [catch {Send BYE {}}]} {
        return [IsLostWith $death]
    }
    switch [LastFrame] {
        INTERRUPTED {return 130}
        LOST {return 1}
        default {return 0}
    }
}

# Read what comes until the sidecar ends, or its time is over: the time for delivering,
# and `grace`.
#   Result  the word for its last frame, LOST or INTERRUPTED; empty for any other; LOST
#           when the time is over
proc ::kafkatcl::sidecar::LastFrame {} {
    variable pipe
    variable header
    variable kind
    variable said
    variable grace
    MovePipe {}
    fconfigure $pipe -blocking 0
    set deadline [expr {[::tcl::clock::milliseconds] + $said(flush_ms) + $grace}]
    set last {}
    while {![eof $pipe]} {
        if {[::tcl::clock::milliseconds] >= $deadline} {
            return LOST
        }
        if {[set data [read $pipe]] eq ""} {
            after 2
        }
        set last [::tcl::string::range $last$data end-[expr {$header - 1}] end]
    }
    # The frame that says what became of the messages has no body.
    if {[::tcl::binary::scan $last ii length number] == 2 && $length == 0
            && [::tcl::info::exists kind($number)]} {
        return $kind($number)
    }
}

# Whether a sidecar that has died had something left to deliver.  That is told on
# stderr, unless the sidecar has told it.
#   death   a message and an errorCode, as in the variable of this name
#   Result  1 or 0
proc ::kafkatcl::sidecar::IsLostWith {death} {
    set how [lindex $death 1 end]
    if {$how eq ""} {
        return 0
    }
    if {$how in {"status 0" "status 1"}} {
        return [expr {$how eq "status 1"}]
    }
    catch {puts stderr "kafkatcl: [lindex $death 0]"}
    return 1
}

::kafkatcl::core::Use ::kafkatcl
::kafkatcl::sidecar::Start
source -encoding utf-8 [file join $::kafkatcl::library install.tcl]
