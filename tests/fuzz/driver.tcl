# driver.tcl --
#
#   The fuzzer's end in the shell: it makes the calls that come line by line on standard input, and answers each with a
#   line of its own (see shell.py).  The brokers are the list in the environment variable KAFKATCL_TEST_BROKERS, or
#   those of the embedded broker.

package require kafka

namespace eval ::fuzz {
    variable count 0        ;# counts what callbacks and codes are called for
    variable faults {}      ;# texts of background errors that tell of a fault of the package
    variable inner {}       ;# how a call within a callback ended
    variable depth 0        ;# of Vwait and Update, which would nest without end
    variable probes 0
    variable recursions 0   ;# of Recurse, in one call
}

set ::brokers 127.0.0.1:9092
if {[info exists ::env(KAFKATCL_TEST_BROKERS)]} {
    set ::brokers $::env(KAFKATCL_TEST_BROKERS)
}

# -- callbacks and codes -----------------------------------------------------------------------------------

proc ::fuzz::Note {args} {
    variable count
    incr count
}
proc ::fuzz::Error {args} {error boom info {FUZZ BOOM}}
proc ::fuzz::Break {args} {return -code break}
proc ::fuzz::Continue {args} {return -code continue}
proc ::fuzz::Return {code args} {return -code $code}
proc ::fuzz::Kill {name args} {catch {rename ::$name {}}}
# As deep as Tcl goes; it takes a while, and one call may have a callback run 10,000 times.
proc ::fuzz::Recurse {args} {
    variable recursions
    if {[incr recursions] < 5000} {
        Recurse {*}$args
    }
}
proc ::fuzz::Redefine {args} {proc ::fuzz::Redefine {args} [info body ::fuzz::Note]}
proc ::fuzz::Read {name args} {catch {$name consume 0 0 row}}
proc ::fuzz::Start {name args} {catch {$name start 0 0 fuzz::Note}}
proc ::fuzz::Vwait {args} {
    variable depth
    if {$depth < 5} {
        incr depth
        after 2 {set ::fuzz::tick 1}
        vwait ::fuzz::tick
        incr depth -1
    }
}
proc ::fuzz::Update {args} {
    variable depth
    if {$depth < 5} {
        incr depth
        update
        incr depth -1
    }
}

# -- values ------------------------------------------------------------------------------------------------

proc ::fuzz::Nested {depth} {
    set list x
    for {set i 0} {$i < $depth} {incr i} {
        set list [list $list]
    }
    return $list
}

# -- objects -----------------------------------------------------------------------------------------------

# Delete all objects but those of the probe, and all children.
proc ::fuzz::Clear {} {
    foreach child [interp slaves] {
        interp delete $child
    }
    foreach id [lsort -decreasing -dictionary [array names ::kafkatcl::commandOf]] {
        if {[info exists ::kafkatcl::commandOf($id)] && ![string match ::fuzz::probe::* $::kafkatcl::commandOf($id)]} {
            catch {rename $::kafkatcl::commandOf($id) {}}
        }
    }
}

# A master that knows the brokers.
proc ::fuzz::Master {name} {
    kafka::kafka create $name
    $name logger none
    $name config bootstrap.servers [join $::brokers ,] fetch.wait.max.ms 5 group.id fuzz-[pid] \
        session.timeout.ms 2000 heartbeat.interval.ms 200 queued.min.messages 1000 queued.max.messages.kbytes 2048
}

# Make the objects anew, and what values of the grammar name.
proc ::fuzz::Fresh {} {
    Clear
    proc ::victim {args} {}
    unset -nocomplain ::row ::other ::scalar ::refusing ::killing
    set ::scalar 1
    array set ::refusing {a 1}
    trace add variable ::refusing write {apply {args {error refused}}}
    trace add variable ::killing write {apply {args {fuzz::Kill tc}}}
    Master ::m
    kafka::kafka create ::mn
    ::mn logger none
    # Without a coordinator a commit waits as long as a session may last.
    ::mn config group.id nobody session.timeout.ms 200 heartbeat.interval.ms 50
    foreach n {{} n} {
        ::m$n producer_creator ::p$n
        ::m$n consumer_creator ::c$n
        ::m$n subscriber ::s$n
        ::p$n new_topic ::tp$n $::topic
        ::c$n new_topic ::tc$n $::topic
        ::c$n create_queue ::q$n
        foreach partition {0 1} {
            ::tc$n start $partition 0
        }
        ::tc$n start_queue 2 0 ::q$n
    }
    ::m subscriber ::s2
    ::s assign [list $::topic 0 0]
    kafka::setup -brokers $::brokers
    kafka::master logger none
    return
}

# Before the first call: a topic with messages, and the objects of the probe.
proc ::fuzz::Begin {} {
    set ::topic fuzz-[pid]-[clock microseconds]
    namespace eval probe {}
    Master ::fuzz::probe::m
    ::fuzz::probe::m producer_creator ::fuzz::probe::p
    ::fuzz::probe::m consumer_creator ::fuzz::probe::c
    ::fuzz::probe::p new_topic ::fuzz::probe::tp $::topic-probe
    ::fuzz::probe::p new_topic ::fuzz::probe::full $::topic
    ::fuzz::probe::c new_topic ::fuzz::probe::tc $::topic-probe
    foreach partition {0 1 2 3} {
        ::fuzz::probe::full produce_batch $partition [lrepeat 50 {payload key}]
    }
    Wait {[::fuzz::probe::p output_queue_length] == 0}
    ::fuzz::probe::tp produce 0 first
    ::fuzz::probe::tc start 0 beginning
}

# Wait until an expression of the caller is true; an error after some seconds.
proc ::fuzz::Wait {condition} {
    set end [expr {[clock milliseconds] + 15000}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock milliseconds] > $end} {
            error "waited in vain for $condition"
        }
        after 1 {set ::fuzz::tick 1}
        vwait ::fuzz::tick
    }
}

# Whether a message still goes and comes: an error if not.
proc ::fuzz::Probe {} {
    variable probes
    set text probe[incr probes]
    ::fuzz::probe::tp produce 0 $text
    set end [expr {[clock milliseconds] + 15000}]
    while {[clock milliseconds] < $end} {
        if {![catch {::fuzz::probe::tc consume 0 500 row} result] && $result && $row(payload) eq $text} {
            return
        }
    }
    error "the message of the probe did not come back: $result"
}

# -- scenes ------------------------------------------------------------------------------------------------

# Make a call from within an error callback; its result is ours.
proc ::fuzz::InCallback {script} {
    variable inner {}
    ::m error_callback [list ::fuzz::Inner $script]
    ::s error -185 x
    # It is not called where other objects were made under these names.
    set end [expr {[clock milliseconds] + 200}]
    while {$inner eq "" && [clock milliseconds] < $end} {
        after 1 {set ::fuzz::tick 1}
        vwait ::fuzz::tick
    }
    catch {::m error_callback {}}
    Outcome $inner
}

proc ::fuzz::Inner {script args} {
    variable inner [list [catch {uplevel #0 $script} result options] $result $options]
}

proc ::fuzz::Outcome {outcome} {
    lassign $outcome code result options
    if {$code == 1} {
        return -code error -errorcode [dict get $options -errorcode] -errorinfo [dict get $options -errorinfo] $result
    }
    return $result
}

# Make a call in a child interpreter that has the same objects.
proc ::fuzz::InKid {script} {
    if {![interp exists kid]} {
        interp create kid
        kid eval [list namespace eval ::fuzz [list variable isChild 1]]
        kid eval [list set ::topic $::topic]
        kid eval [list source -encoding utf-8 $::fuzz::file]
        kid eval ::fuzz::Fresh
    }
    Outcome [kid eval [list ::fuzz::Caught $script]]
}

proc ::fuzz::Caught {script} {
    return [list [catch {uplevel #0 $script} result options] $result $options]
}

# Have a child do something, and let it go in one of several ways.
proc ::fuzz::Child {kind script end} {
    set path [interp create {*}[expr {$kind eq "safe" ? "-safe" : ""}]]
    if {$kind eq "nested"} {
        set path [list $path [interp eval $path {interp create}]]
    }
    catch {interp eval $path {package require kafka}}
    catch {interp eval $path $script}
    switch -- $end {
        delete {interp delete $path}
        rename {interp eval [lrange $path 0 end-1] [list rename [lindex $path end] {}]}
        delete-in {
            interp alias $path die {} interp delete [lindex $path 0]
            catch {interp eval $path die}
        }
    }
    return
}

# A property of a master of its own, and what its handles make of it.
proc ::fuzz::Configured {name value} {
    Master ::fuzz::mx
    ::fuzz::mx config $name $value
    foreach kind {producer_creator consumer_creator subscriber} {
        ::fuzz::mx $kind ::fuzz::x
        if {$kind eq "producer_creator"} {
            ::fuzz::x new_topic ::fuzz::tx $::topic
            ::fuzz::tx produce 0 x
        }
        ::fuzz::x delete
    }
}

# Brokers that nobody else is to look for.
proc ::fuzz::Astray {brokers} {
    kafka::kafka create ::fuzz::mx
    ::fuzz::mx logger none
    ::fuzz::mx producer_creator ::fuzz::x
    ::fuzz::x add_brokers $brokers
    ::fuzz::mx add_brokers $brokers
    ::fuzz::x delete
}

# Wait without a limit for what is certain to come.
proc ::fuzz::Forever {what} {
    set objects {::fuzz::x ::fuzz::tx ::fuzz::qx}
    Master ::fuzz::mx
    if {$what eq "subscriber"} {
        ::fuzz::mx subscriber ::fuzz::x
        ::fuzz::x assign [list $::topic 0 0]
        ::fuzz::x consume -1
    } else {
        ::fuzz::mx consumer_creator ::fuzz::x
        ::fuzz::x new_topic ::fuzz::tx $::topic
        ::fuzz::x create_queue ::fuzz::qx
        switch $what {
            topic {::fuzz::tx start 0 0; ::fuzz::tx consume 0 -1 row}
            batch {::fuzz::tx start 0 0; ::fuzz::tx consume_batch 0 -1 10 row {}}
            queue {::fuzz::tx start_queue 0 0 ::fuzz::qx; ::fuzz::qx consume -2 row}
            poll {::fuzz::tx start 0 0 ::fuzz::Note; ::fuzz::x poll -1}
        }
    }
    foreach object $objects {
        catch {rename $object {}}
    }
}

# -- calls and answers -------------------------------------------------------------------------------------

proc ::fuzz::Background {message options} {
    Suspect $message
    Suspect [dict get $options -errorinfo]
}
interp bgerror {} ::fuzz::Background

# Remember a text that tells of a fault of the package.
proc ::fuzz::Suspect {text} {
    variable faults
    if {[string match "*KAFKA INTERNAL*" $text] || [string match "*Traceback (most recent call last)*" $text]} {
        lappend faults [Short $text]
    }
}

# Make a call, and run what callbacks there are; what is to be answered.
proc ::fuzz::Do {call} {
    variable faults {}
    variable recursions 0
    set words {}
    set code [catch {
        set words [uplevel #0 "::list $call"]
        uplevel #0 $words
    } result options]
    set errorCode {}
    if {$code == 1} {
        set errorCode [dict get $options -errorcode]
        Suspect [dict get $options -errorinfo]
        Suspect $errorCode
    }
    Suspect $result
    update
    return [list $code $errorCode [Short $result] [join $faults \n] [Unnamed $words $code $result]]
}

# A text without its middle, if it is long.
proc ::fuzz::Short {text} {
    if {[string length $text] <= 2000} {
        return $text
    }
    return "[string range $text 0 999]...[string range $text end-999 end]"
}

# The value that an error names though the call has no such word, or nothing.
proc ::fuzz::Unnamed {words code message} {
    if {$code == 1 && ![string match fuzz::* [lindex $words 0]]
            && [regexp {^(?:expected integer but got|integer value too large to represent:) "(.*)"$} $message -> value]
            && [string first [Bare $value] [Bare $words]] < 0 && [Bare $value] ne ""} {
        return $value
    }
}

# A text without what lists put around their elements.
proc ::fuzz::Bare {text} {
    return [string map [list \\ {} \{ {} \} {} \" {}] $text]
}

proc ::fuzz::Hex {text} {
    return [binary encode hex [encoding convertto utf-8 $text]]
}

# Make the calls that come on standard input.  An answer is a line: a mark, and hexadecimal fields with points between.
proc ::fuzz::Serve {} {
    fconfigure stdout -translation lf
    Begin
    while {[gets stdin call] >= 0} {
        puts "\n\x01[join [lmap field [Do $call] {Hex $field}] .]"
        flush stdout
    }
    exit
}

# Make calls, and show how each ends.
proc ::fuzz::Replay {calls} {
    Begin
    foreach call [split [string trim $calls] \n] {
        lassign [Do $call] code errorCode message faults
        puts "$call\n    -> $code {$errorCode} [Short $message] $faults"
        flush stdout
    }
}

set ::fuzz::file [file normalize [info script]]
