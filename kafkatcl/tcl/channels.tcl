# channels.tcl --
#
#   Topics and subscribers as Tcl channels: reflected ones, whose methods are the
#   procedures here (https://www.tcl-lang.org/man/tcl8.6/TclCmd/refchan.htm).  What is
#   known of a channel is in the array ::kafkatcl::channels::of_CHANNEL.
#
#   A channel that is read gives Tcl one line at a time.  Tcl asks for the next one when
#   the script reads on, so a line counts as consumed when the script has it, and
#   nothing is read ahead that closing the channel would lose.

namespace eval ::kafkatcl::channels {
    variable size 65536     ;# the -buffersize of new channels, in bytes
    variable look 100       ;# ms after which who waits for the end of a channel looks again
    variable callbackIds 0  ;# counts the callback ids made here
    variable writers {}     ;# the channels that are open for writing

    # The methods, as Tcl calls them: `writer write CHANNEL BYTES`.
    namespace eval write {}
    namespace eval read {}
}

# -- writing ---------------------------------------------------------------------------

# Make a channel whose lines are messages of a topic.
#   id         the object id of the topic
#   partition  of all of them; -1 leaves the choice to the partitioner
#   key        of all of them; empty for none
#   Result     the channel
proc ::kafkatcl::channels::Writer {id partition key} {
    variable writers
    ::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $partition]
    set delivery [::kafkatcl::Unwrap [::kafkatcl::bridge::delivery_begin $id]]
    set channel [Create write]
    upvar #0 ::kafkatcl::channels::of_$channel state
    array set state [list id $id partition $partition key $key delivery $delivery rest {} failed {} isWatched 0]
    Note $channel
    lappend writers $channel
    WatchClose add
    return $channel
}

# Note how a channel ends its lines.  Tcl does not tell when a script changes that, and
# while it closes a channel, the name of which is gone then, it cannot be asked.
proc ::kafkatcl::channels::Note {channel} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    if {![catch {LineEnd $channel} end]} {
        set state(end) $end
    }
}

# Have Closing called by every `close`, or no longer.
#   change  `add` or `remove`; nothing is done unless just one channel is open for
#           writing
proc ::kafkatcl::channels::WatchClose {change} {
    variable writers
    if {[llength $writers] == 1} {
        foreach command {::close ::tcl::chan::close} {
            catch {trace $change execution $command enter ::kafkatcl::channels::Closing}
        }
    }
}

# The trace on `close` before it.
#   command  its words
proc ::kafkatcl::channels::Closing {command args} {
    variable writers
    if {[lindex $command 1] in $writers} {
        Note [lindex $command 1]
    }
}

# Tcl has bytes for a channel: its whole lines become messages, and the rest of the last
# one is kept.
#   Result  how many bytes were taken, all
#   Errors  those of `produce_batch`, after which these lines are lost
proc ::kafkatcl::channels::write::write {channel bytes} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    ::kafkatcl::channels::Note $channel
    set lines [::kafkatcl::channels::Split $state(rest)$bytes {*}$state(end)]
    set state(rest) [lindex $lines end]
    ::kafkatcl::channels::Produce state [lrange $lines 0 end-1]
    return [::tcl::string::length $bytes]
}

# A channel is closed: its last line is a message even without an end, and all must be
# delivered.
#   Errors  the first error of the channel; that some messages were not delivered
proc ::kafkatcl::channels::write::finalize {channel} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    variable ::kafkatcl::channels::writers
    ::kafkatcl::channels::WatchClose remove
    set writers [lsearch -all -inline -not -exact $writers $channel]
    catch {::kafkatcl::channels::Finish state}
    set delivered [catch {::kafkatcl::Unwrap [::kafkatcl::bridge::delivery_end $state(delivery)]} result options]
    lassign $state(failed) message code
    unset state
    if {$code ne ""} {
        return -code error -errorcode $code $message
    }
    if {$delivered} {
        return {*}[::kafkatcl::failures::Told $result $options]
    }
}

# Before the end of the interpreter: hand over what channels hold, as closing them would
# do.
proc ::kafkatcl::channels::Settle {} {
    variable writers
    foreach channel $writers {
        catch {flush $channel}
        upvar #0 ::kafkatcl::channels::of_$channel state
        catch {Finish state}
    }
}

# Produce what is left of the last line.
#   Level  1, for the array
proc ::kafkatcl::channels::Finish {name} {
    upvar 1 $name state
    if {$state(rest) ne ""} {
        set line $state(rest)
        set state(rest) {}
        Produce state [list $line]
    }
}

# Produce lines, each a message; room in the queue is waited for.
#   Errors  those of `produce_batch`; closing the channel tells the first one again
#   Level   1, for the array
proc ::kafkatcl::channels::Produce {name lines} {
    upvar 1 $name state
    if {[llength $lines] == 0} {
        return
    }
    set key $state(key)
    set rows [expr {$key eq "" ? [lmap line $lines {list $line}] : [lmap line $lines {list $line $key}]}]
    ::kafkatcl::bridge::delivery_patient $state(delivery) 1
    set failed [catch {::kafkatcl::producer_topic::Batch $state(id) $state(partition) $rows} result options]
    ::kafkatcl::bridge::delivery_patient $state(delivery) 0
    if {$failed} {
        if {$state(failed) eq ""} {
            set state(failed) [list $result [dict get $options -errorcode]]
        }
        return {*}[::kafkatcl::failures::Told $result $options]
    }
}

# Split bytes into lines.
#   end     the bytes that end a line
#   width   how many bytes a character has at least
#   Result  the lines; the last one has no end yet, and may be empty
proc ::kafkatcl::channels::Split {bytes end width} {
    if {[::tcl::string::length $end] == 1} {
        return [split $bytes $end]
    }
    set lines {}
    set start 0
    set at 0
    while {[set at [::tcl::string::first $end $bytes $at]] >= 0} {
        if {($at - $start) % $width} {
            incr at     ;# parts of two characters
            continue
        }
        lappend lines [::tcl::string::range $bytes $start $at-1]
        incr at [::tcl::string::length $end]
        set start $at
    }
    return [lappend lines [::tcl::string::range $bytes $start end]]
}

# How a channel that is written ends its lines.
#   Result  a list of two, as Split takes it
proc ::kafkatcl::channels::LineEnd {channel} {
    set ends {lf \n crlf \r\n cr \r binary \n}
    return [list [Encoded $channel [dict get $ends [lindex [chan configure $channel -translation] end]]] \
        [::tcl::string::length [Encoded $channel \n]]]
}

# Characters in the encoding of a channel.
proc ::kafkatcl::channels::Encoded {channel characters} {
    set encoding [chan configure $channel -encoding]
    return [expr {$encoding eq "binary" ? $characters : [encoding convertto $encoding $characters]}]
}

# The script waits by `fileevent` until it can write, or does no longer.
#   events  a list; `write` is in it if it waits
proc ::kafkatcl::channels::write::watch {channel events} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    set state(isWatched) [expr {"write" in $events}]
    ::kafkatcl::channels::PostWritable $channel
}

# Tell the script that it can write, which is always so: Produce waits for room.  That
# is an event of its own, and another one follows.
#   isDue  1 in that event
proc ::kafkatcl::channels::PostWritable {channel {isDue 0}} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    if {$isDue && [::tcl::info::exists state] && $state(isWatched)} {
        chan postevent $channel write
    }
    if {[::tcl::info::exists state] && $state(isWatched)} {
        ::kafkatcl::bridge::timer_start $::kafkatcl::session 0 channels::PostWritable $channel 1
    }
}

# -- reading ---------------------------------------------------------------------------

# Make a channel that is read.
#   id      the object id of a topic or a subscriber
#   words   those of a reader of the same buffer, see ahead.tcl
#   answer  of the bridge call that has begun a walk
#   until   where the channel ends; empty if nowhere
#   Result  the channel
proc ::kafkatcl::channels::Reader {id words answer until} {
    variable callbackIds
    set walk [::kafkatcl::walks::Begin $id $words [::kafkatcl::Unwrap $answer]]
    set channel [Create read]
    upvar #0 ::kafkatcl::channels::of_$channel state
    array set state [list walk $walk until $until isBlocking 1 isWatched 0 timer {} rest {} \
        items {} fields {} at 0 size 0 width 0 toOffset 0 due 0 callbackId channel[incr callbackIds]]
    return $channel
}

# Tcl wants up to `count` bytes: the next line, or the first of what is left of one.
#   Result  empty at the end
#   Errors  EAGAIN if nothing is there and the channel does not block; KAFKA NAME TEXT
#           DETAILS for an error in the place of a message
proc ::kafkatcl::channels::read::read {channel count} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    upvar #0 ::kafkatcl::walks::rest($state(walk)) left
    if {$state(rest) ne ""} {
        set bytes $state(rest)
        set state(rest) {}
    } elseif {$left > 0 && $state(at) < $state(size) && [::tcl::clock::milliseconds] <= $state(due)} {
        # Nearly all lines come this way.
        set bytes [lindex $state(fields) $state(at)]$state(end)
        incr state(at) $state(width)
        incr left -1
    } else {
        ::kafkatcl::channels::Advance $channel state
        if {$left == 0} {
            return
        }
        tailcall read $channel $count
    }
    if {[::tcl::string::length $bytes] > $count} {
        set state(rest) [::tcl::string::range $bytes $count end]
        return [::tcl::string::range $bytes 0 $count-1]
    }
    return $bytes
}

# Go on to the next messages: those behind in the batch, or another batch.
#   Errors  EAGAIN if nothing is there, KAFKA NAME TEXT DETAILS for an error in the
#           place of a message; both are raised by the caller
#   Level   1, for the array
proc ::kafkatcl::channels::Advance {channel name} {
    upvar 1 $name state
    upvar #0 ::kafkatcl::walks::rest($state(walk)) left
    if {$left > 0 && [::tcl::clock::milliseconds] > $state(due)} {
        ::kafkatcl::walks::Look $state(walk)
        set state(due) [::kafkatcl::walks::Due]
    }
    if {$left == 0} {
        set state(size) 0
        set items [::kafkatcl::walks::Take $state(walk) $::kafkatcl::walks::most [expr {$state(isBlocking) ? -1 : 0}]]
        if {$items eq "end"} {
            return
        }
        if {[llength $items] == 0} {
            return -level 2 -code error EAGAIN
        }
        array set state [list items $items due [::kafkatcl::walks::Due] end [Encoded $channel \n]]
    }
    if {$state(at) >= $state(size)} {
        set state(items) [lassign $state(items) item]
        if {[lindex $item 0] eq "error"} {
            incr left -1
            return -level 2 -code error {*}[::kafkatcl::messages::Raised [lindex $item 1]]
        }
        lassign $item kind topic partition layout fields
        set columns [dict get $::kafkatcl::layouts::columns $layout]
        array set state [list topic $topic partition $partition fields $fields size [llength $fields] \
            at [lsearch -exact $columns payload] width [llength $columns] \
            toOffset [expr {[lsearch -exact $columns offset] - [lsearch -exact $columns payload]}]]
    }
}

# The script waits for lines by `fileevent`, or does no longer.
#   events  a list; `read` is in it if it waits
proc ::kafkatcl::channels::read::watch {channel events} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    set state(isWatched) [expr {"read" in $events}]
    if {$state(isWatched)} {
        ::kafkatcl::channels::Watch $channel
    } else {
        ::kafkatcl::channels::Unwatch $channel
    }
}

# Have the script told of the next line: in an event of its own, if one is there.
proc ::kafkatcl::channels::Watch {channel} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    Unwatch $channel
    set walk $state(walk)
    if {$state(rest) ne "" || $::kafkatcl::walks::rest($walk) > 0} {
        set ms 0
    } else {
        ::kafkatcl::events::SetCallback $state(callbackId) [list ::kafkatcl::channels::Post $channel]
        set answer [::kafkatcl::bridge::watch $::kafkatcl::session $state(callbackId) $walk 1]
        # Reading tells the error; the end may come without a message.
        set ms [expr {[lindex $answer 0] eq 1 ? 0 : $state(until) eq "" ? "" : $::kafkatcl::channels::look}]
    }
    if {$ms ne ""} {
        set state(timer) [::kafkatcl::Unwrap [::kafkatcl::bridge::timer_start $::kafkatcl::session $ms channels::Post $channel]]
    }
}

# Have the script not told any more.
proc ::kafkatcl::channels::Unwatch {channel} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    ::kafkatcl::events::UnsetCallback $state(callbackId)
    ::kafkatcl::bridge::unwatch $state(callbackId)
    ::kafkatcl::bridge::timer_stop $state(timer)
}

# Tell the script that it can read, and then watch on.  Called as an event.
proc ::kafkatcl::channels::Post {channel args} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    if {[::tcl::info::exists state] && $state(isWatched)} {
        chan postevent $channel read
    }
    if {[::tcl::info::exists state] && $state(isWatched)} {
        Watch $channel
    }
}

# The script has set -blocking.
proc ::kafkatcl::channels::read::blocking {channel isBlocking} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    set state(isBlocking) $isBlocking
}

# What `fconfigure` tells: where the last line has come from, and how many messages are
# left.
proc ::kafkatcl::channels::read::cget {channel option} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    switch -- $option {
        -position {
            return [::kafkatcl::channels::Position state]
        }
        -lag {
            ::kafkatcl::Acknowledge
            return [::kafkatcl::Unwrap [::kafkatcl::bridge::walk_lag $state(walk)]]
        }
    }
    return -code error -errorcode [list TCL LOOKUP INDEX option $option] \
        "bad option \"$option\": should be one of -blocking, -buffering, -buffersize, -encoding, -eofchar,\
        -translation, -position, or -lag"
}

# Where the last line has come from.
#   Result  a list: topic, partition, offset; empty before the first line
#   Level   1, for the array
proc ::kafkatcl::channels::Position {name} {
    upvar 1 $name state
    set at [expr {$state(at) - $state(width)}]
    if {$state(width) == 0 || $at < 0} {
        return
    }
    return [list $state(topic) $state(partition) [lindex $state(fields) [expr {$at + $state(toOffset)}]]]
}

# All of that.
proc ::kafkatcl::channels::read::cgetall {channel} {
    return [list -position [cget $channel -position] -lag [cget $channel -lag]]
}

# A channel is closed: what was not read goes back.
proc ::kafkatcl::channels::read::finalize {channel} {
    upvar #0 ::kafkatcl::channels::of_$channel state
    ::kafkatcl::channels::Unwatch $channel
    set walk $state(walk)
    unset state
    ::kafkatcl::walks::End $walk
}

# -- both ------------------------------------------------------------------------------

# Make a channel.
#   mode  `write`, or `read`
proc ::kafkatcl::channels::Create {mode} {
    variable size
    set channel [chan create $mode ::kafkatcl::channels::$mode]
    chan configure $channel -buffersize $size
    return $channel
}

proc ::kafkatcl::channels::write::initialize {channel mode} {
    return {initialize finalize watch write}
}

proc ::kafkatcl::channels::read::initialize {channel mode} {
    return {initialize finalize watch read blocking cget cgetall}
}

namespace eval ::kafkatcl::channels::write {
    namespace export {[a-z]*}
    namespace ensemble create
}

namespace eval ::kafkatcl::channels::read {
    namespace export {[a-z]*}
    namespace ensemble create
}
