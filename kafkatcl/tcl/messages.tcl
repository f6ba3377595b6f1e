# messages.tcl --
#
#   Messages in the variables of a script: arrays, and code that is run for each
#   message.
#
#   The procedures here are called by subcommands, so whoever called the object command
#   is 3 levels up.  They know the array of the script as <array>, a name that no script
#   has in its own errors.  A message is where the head of layouts.tcl says.

namespace eval ::kafkatcl::messages {
    variable runs 0         ;# counts the batches whose code was run: each is a run
    variable toGo           ;# run that is under way -> how many messages the code has not got to
    variable batchOf        ;# run -> the object id of its batch; unset if that was read ahead
    variable cut            ;# run that was ended early -> how many messages were put back
    foreach name {toGo batchOf cut} {
        array set $name {}
    }
    unset name

    # A text: set the array to a message.
    variable fill [::kafkatcl::core::Named [::kafkatcl::layouts::Fill]]

    # A text: begin a `run` over `count` messages; `left` is how many of them the code
    # has not got to.
    variable begin {
        variable ::kafkatcl::messages::runs
        set run [incr runs]
        upvar #0 ::kafkatcl::messages::toGo($run) left
        set left $count
    }

    # A text: the code of the run is through, but for the last `rest` messages.
    variable leave {
        set rest $left
        unset left
    }

    # A text: the run is left.  How its code has ended is in `code`, as `catch` tells
    # it.  Messages that it did not get to are put back, and what was read ahead of them
    # before that; their number is in `rest`.  How the engine answers is in `ended`.
    variable end {
        set batch $::kafkatcl::messages::batchOf($run)
        unset ::kafkatcl::messages::batchOf($run)
        set ended {}
        if {[::tcl::info::exists ::kafkatcl::messages::cut($run)]} {
            set rest $::kafkatcl::messages::cut($run)
            unset ::kafkatcl::messages::cut($run)
        } elseif {$batch ne ""} {
            if {$rest > 0} {
                ::kafkatcl::ahead::Requeue
            }
            set ended [::kafkatcl::bridge::batch_end $batch $rest $code]
        }
    }
}

# A text with the texts of what is done for messages put in: `fill`, `begin`, `leave`
# and `end` in this file for %fill% and so on, ahead::find for %find%,
# layouts::forArrays for %layout%.
proc ::kafkatcl::messages::Text {text} {
    variable fill
    variable begin
    variable leave
    variable end
    set texts [list %fill% $fill %begin% $begin %leave% $leave %end% $end \
        %find% $::kafkatcl::ahead::find %layout% $::kafkatcl::layouts::forArrays]
    return [::tcl::string::map $texts $text]
}

# Before messages are read: refuse an array that cannot be, as they would be lost with
# it.
#   array   its name, as the script gave it
#   Errors  that of `upvar`
#   Level   3
proc ::kafkatcl::messages::Require {array} {
    upvar 3 $array <array>
}

# Unset all that a message or the end of a partition would set.
#   Level  1, where `array` is the name of the array
proc ::kafkatcl::messages::Clear {array} {
    upvar 1 $array <array>
    foreach name $::kafkatcl::layouts::names {
        unset -nocomplain <array>($name)
    }
    unset -nocomplain <array>(end)
}

# Set the array to an error or an end that came in the place of a message.
#   pairs  its names and values
#   Level  1, where `array` is the name of the array
proc ::kafkatcl::messages::FillOther {array pairs} {
    upvar 1 $array <array>
    Clear <array>
    if {[llength $pairs]} {
        ::kafkatcl::layouts::NoteMore
    }
    foreach {name value} $pairs {
        set <array>($name) $value
    }
}

# A text for the fast path of the `consume` of a topic or a queue: if a message was read
# ahead for `words`, set the array to it and return 1.
namespace eval ::kafkatcl::messages {
    variable next [Text {
        %find%
        ::if {[::tcl::info::exists at]} {
            ::upvar 1 $array <array>
            ::if {[::catch {%fill%} result options]} {
                ::return {*}[::kafkatcl::failures::Told {*}[::kafkatcl::messages::Failed $array $result $options]]
            }
            ::return 1
        }
    }]
}

# The `consume` of a topic or a queue where nothing was read ahead: set the array to the
# first message, and store the others.
#   words   as of a reader, see ahead.tcl
#   array   its name, as the script gave it
#   answer  of the bridge call that has read
#   Result  1; 0 at the end of a partition, where all fields of the array are unset, but
#           for those of the end if the script has asked for it
#   Errors  KAFKA NAME TEXT DETAILS for an error in the place of a message, where they
#           are unset, too; that of the array
#   Level   3, for the array
proc ::kafkatcl::messages::One {id words array answer} [::kafkatcl::messages::Text {
    upvar 3 $array <array>
    set value [::kafkatcl::Unwrap $answer]
    switch -- [lindex $value 0] {
        messages {
            lassign [::kafkatcl::layouts::Received $value] kind topic partition layout fields
            %layout%
            set fields [::kafkatcl::ahead::Store $id $words $topic $partition $layout $fields]
            set at 0
            if {[catch {%fill%} result options]} {
                lassign [Failed $array $result $options] result options
                return -options $options $result
            }
            return 1
        }
        end {
            FillOther <array> [lindex $value 1]
            return 0
        }
        error {
            Clear <array>
            return -code error {*}[Raised [lindex $value 1]]
        }
    }
}]

# An error in the place of a message as one of Tcl.
#   pairs   its names and values
#   Result  the words behind `return -code error`
proc ::kafkatcl::messages::Raised {pairs} {
    lassign [dict values $pairs] error name details
    return [list -errorcode [list KAFKA $name $error $details] "kafka error: $error ($details)"]
}

# A text: the code of a `consume_batch` behind its checks.
#   reader  what has the words of its reader, see batches.tcl
#   call    a script that reads messages: its result is the answer of a bridge call
proc ::kafkatcl::messages::ConsumeBatch {reader call} {
    return [::tcl::string::map [list %reader% $reader %call% $call] {
        upvar 2 $array <array>  ;# refuses an array that cannot be, before messages are read
        ::kafkatcl::batches::Clear $id %reader%
        set answer [::kafkatcl::batches::Store $id %reader% [%call%]]
        if {[lindex $answer 1 0] ne "stored"} {
            return [::kafkatcl::messages::RunForEach $array $code $answer]
        }
        if {![::kafkatcl::native::again $id]} {
            tailcall ::kafkatcl::batches::RunStored $id %reader% $array $code
        }
    }]
}

# The end of a `consume_batch`: run code for each message, with the array set to it.
# What the code does not get to, because of a break, a return or an error, is requeued.
#   array   its name, as the script gave it
#   body    the code
#   answer  of the bridge call that has read: a batch
#   Result  the number of messages for which the code has run
#   Errors  that of the code, with errorInfo of the script's own; that of the array.  A
#           return of the code is one of whoever called the object command.
#   Level   3, for the array and the code
proc ::kafkatcl::messages::RunForEach {array body answer} [::kafkatcl::messages::Text {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code $value
    }
    set items [::kafkatcl::layouts::ReceivedAll [lassign $value batch count]]
    upvar 3 $array <array>
    %begin%
    set ::kafkatcl::messages::batchOf($run) $batch
    set next 0
    set at 0
    set fields {}
    set code [catch {
        while {$left > 0} {
            incr left -1
            if {$at == [llength $fields]} {
                set item [lindex $items $next]
                incr next
                set at 0
                if {[lindex $item 0] ne "messages"} {
                    FillOther <array> [lindex $item 1]
                    set fields {}
                    uplevel 3 $body
                    continue
                }
                lassign $item kind topic partition layout fields
                %layout%
            }
            %fill%
            uplevel 3 $body
        }
    } result options]
    %leave%
    %end%
    if {[lindex $ended 0] eq 1} {
        ::kafkatcl::Unwrap $ended
    }
    if {$code == 0} {
        return [expr {$count - $rest}]
    }
    lassign [Ended consume_batch $array $code $result $options] result options
    return -options $options $result
}]

# How a procedure returns whose loop over messages has not ended normally.
#   subcommand  that has run the code, by `uplevel 3 $body` or its like
#   array       its name, as the script gave it
#   code        of `catch`, as are `result` and `options`
#   levels      how many levels up the code was run
#   Result      a list of two: the result, and the options of `return`
proc ::kafkatcl::messages::Ended {subcommand array code result options {levels 3}} {
    if {$code == 1} {
        set info [dict get $options -errorinfo]
        if {[string match "*\"uplevel $levels \$body\"" $info]} {
            set info [::kafkatcl::failures::OfScript $info "\"$subcommand\" body line %line%"]
            set options [::kafkatcl::failures::Passed $info $options]
        } else {
            lassign [Failed $array $result $options] result options
        }
    }
    set ::kafkatcl::failures::passed $options
    # A return of the code is one of the caller: from there it has more procedures to
    # leave (https://www.tcl-lang.org/man/tcl8.6/TclCmd/return.htm).
    dict incr options -level [expr {$code == 2 ? $levels : 1}]
    return [list $result $options]
}

# End the batches of a reader's handle whose code is being run, the last one first: some
# of their messages are not wanted any more.  The others are put back, and the code is
# run for none.  What was read ahead has been requeued.
#   reader  the object id of a topic or of a subscriber
proc ::kafkatcl::messages::Cut {reader} {
    variable toGo
    variable batchOf
    variable cut
    foreach run [Runs] {
        if {![::tcl::info::exists cut($run)]
                && [::kafkatcl::Unwrap [::kafkatcl::bridge::batch_cut $batchOf($run) $reader $toGo($run)]]} {
            set cut($run) $toGo($run)
            set toGo($run) 0
        }
    }
}

# The runs that are under way, the last one first.
proc ::kafkatcl::messages::Runs {} {
    variable toGo
    ::kafkatcl::native::recall
    return [lsort -integer -decreasing [::tcl::array::names toGo]]
}

# Script cancellation has unwound the code of all batches: requeue the messages that it
# did not reach, the last batch first.  Called by the shell.  A coroutine that had
# yielded was not unwound, and finds its batch ended.
proc ::kafkatcl::messages::Unwound {} {
    variable toGo
    variable batchOf
    variable cut
    set runs [Runs]
    if {[llength $runs]} {
        ::kafkatcl::ahead::Requeue
    }
    foreach run $runs {
        if {[::tcl::info::exists batchOf($run)] && ![::tcl::info::exists cut($run)]} {
            ::kafkatcl::bridge::batch_end $batchOf($run) $toGo($run) 1
            set cut($run) $toGo($run)
            set toGo($run) 0
        }
    }
    if {[llength $::kafkatcl::walks::running]} {
        ::kafkatcl::walks::Unwound
    }
}

# Run a callback for each message of an answer, as from the event loop.
#   answer  of the bridge call that has read: a batch
#   Result  the number of messages
#   Errors  that of the bridge call; errors of the callback are background errors
proc ::kafkatcl::messages::CallForEach {prefix answer} [::kafkatcl::messages::Text {
    set items [::kafkatcl::layouts::ReceivedAll [lassign [::kafkatcl::Unwrap $answer] batch count]]
    set code 0
    %begin%
    set ::kafkatcl::messages::batchOf($run) $batch
    foreach item $items {
        if {$left == 0} {
            break
        }
        if {[lindex $item 0] ne "messages"} {
            incr left -1
            ::kafkatcl::events::RunCallback {} [list {*}$prefix [lindex $item 1]]
            continue
        }
        lassign $item kind topic partition layout fields
        set width [::kafkatcl::layouts::Width $layout]
        for {set at 0} {$left > 0 && $at < [llength $fields]} {incr at $width} {
            incr left -1
            ::kafkatcl::events::RunCallback {} [list {*}$prefix [Pairs $topic $partition $layout $fields $at]]
        }
    }
    %leave%
    %end%
    ::kafkatcl::events::ReportFailures
    return [expr {$count - $rest}]
}]

# The list that a callback gets for a message.
#   fields  those of several messages in a row
#   at      where among them the message begins
proc ::kafkatcl::messages::Pairs {topic partition layout fields at} \
    [::kafkatcl::layouts::Switch ReturnPairs]

# An error of the array, as the script sees it: the array has the name that the script
# gave.
#   result   the message of the error
#   options  of `catch`
#   Result   a list of two: the message, and the options
proc ::kafkatcl::messages::Failed {array result options} {
    set renamed [list "\"<array>(" "\"${array}("]
    set info [::tcl::string::map $renamed [dict get $options -errorinfo]]
    if {[::tcl::string::first [lindex $renamed 0] $result] >= 0} {
        set result [::tcl::string::map $renamed $result]
        if {[lrange [dict get $options -errorcode] 0 2] eq {TCL LOOKUP VARNAME}} {
            set isElement [::tcl::string::match {*(*)} $array]
            dict set options -errorcode [expr {$isElement ? {TCL VALUE VARNAME} : [list TCL LOOKUP VARNAME $array]}]
        }
    }
    return [list $result [::kafkatcl::failures::Passed [::kafkatcl::failures::OfTrace $info] $options]]
}
