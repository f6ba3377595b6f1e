# produce.tcl --
#
#   Producing over the pipe.  A message that cannot be refused is not waited for: the
#   sidecar grants so many messages of a certain size for a producer handle, and says
#   which partitions there are (see kafkatcl/sidecar/credit.py).  All others are
#   answered, and the answer brings a new grant.

namespace eval ::kafkatcl::sidecar {
    # What is granted, by object ids: topic,partition that is known to exist -> its
    # handle; handle -> how many messages, which all its topics share.
    variable grant
    array set grant {}
    # The object ids of topics that have an encoding: what goes to them is text, and so
    # goes as words.
    variable encoded
    array set encoded {}
}

# Make the procedures that send messages, with the numbers of the protocol in their
# text: every step counts here.
proc ::kafkatcl::sidecar::MakeProduce {} {
    variable said
    variable header
    variable op
    set numbers [list %unanswered% $op(PRODUCE_UNANSWERED) %headers% $op(PRODUCE_HEADERS) %object_id% $said(object_id) \
        %largest% $said(largest) %front% $said(produce) %payload% [expr {$header + $said(produce)}]]

    # The fast path try_produce: send a message without waiting for the answer.
    #   args    the key, if there is one
    #   Result  1, or 0 if that cannot be
    proc ::kafkatcl::bridge::try_produce {topic partition payload args} [string map $numbers {
        upvar #0 ::kafkatcl::sidecar::grant grant
        if {![::tcl::info::exists grant($topic,$partition)]} {
            return 0
        }
        set keyLength -1
        if {[llength $args]} {
            set keyLength [::tcl::string::length [lindex $args 0]]
            append payload [lindex $args 0]
        }
        set length [::tcl::string::length $payload]
        if {$length > %largest% || [incr grant($grant($topic,$partition)) -1] < 0
                || [pid] != $::kafkatcl::sidecar::owner} {
            return 0
        }
        set frame [::tcl::binary::format iia%object_id%iia* [incr length %front%] %unanswered% \
            $topic $partition $keyLength $payload]
        # Characters above U+00FF are no bytes.
        if {[::tcl::string::range $frame %payload% end] ne $payload
                || [catch {::kafkatcl::sidecar::Write $frame}]} {
            return 0
        }
        return 1
    }]

    # The fast path try_produce_headers: send a message without waiting for the answer.
    #   keys    1 if the first of args is the key, else 0
    #   args    names and values
    #   Result  1, or 0 if that cannot be
    proc ::kafkatcl::bridge::try_produce_headers {topic keys partition payload args} [string map $numbers {
        upvar #0 ::kafkatcl::sidecar::grant grant
        if {![::tcl::info::exists grant($topic,$partition)] || $keys > 1 || ([llength $args] - $keys) % 2} {
            return 0
        }
        foreach {name value} [lrange $args $keys end] {
            if {[::tcl::string::first \0 $name] >= 0} {
                return 0
            }
        }
        set lengths [list [::tcl::string::length $payload]]
        foreach word $args {
            lappend lengths [::tcl::string::length $word]
            append payload $word
        }
        set count [llength $lengths]
        set length [expr {[::tcl::string::length $payload] + 4 * $count + %front% + 4}]
        # The framing of headers counts, too: a few bytes for each word.
        if {$length + 12 * $count > %largest% || [incr grant($grant($topic,$partition)) -1] < 0
                || [pid] != $::kafkatcl::sidecar::owner} {
            return 0
        }
        set front [::tcl::binary::format iia%object_id%iiii* $length %headers% $topic $partition $keys $count $lengths]
        set bytes [::tcl::binary::format a* $payload]
        # Characters above U+00FF are no bytes.
        if {$bytes ne $payload || [catch {::kafkatcl::sidecar::Write $front$bytes}]} {
            return 0
        }
        return 1
    }]

    # Produce to a partition, and wait for the answer, which brings a new grant.  The
    # sidecar reads bytes in parts while Tcl writes them.
    #   what     PRODUCE, or PRODUCE_BATCH
    #   number   for PRODUCE the length of the key, -1 without one; for PRODUCE_BATCH
    #            the number of messages
    #   lengths  for PRODUCE_BATCH two for each message, as Rows gives them; else empty
    #   bytes    the first part of what is produced
    #   args     further parts
    #   Result   the answer
    proc ::kafkatcl::sidecar::Produce {what topic partition number lengths bytes args} [string map $numbers {
        set body [::tcl::binary::format a%object_id%iii*a* $topic $partition $number $lengths $bytes]
        return [Granted $topic $partition [Ask $what $body {*}$args]]
    }]
}

# The bridge call produce: produce a message, and wait for the answer.
#   args  the key, if there is one
proc ::kafkatcl::bridge::produce {topic partition payload args} {
    set keyLength -1
    set data $payload
    if {[llength $args]} {
        set keyLength [::tcl::string::length [lindex $args 0]]
        append data [lindex $args 0]
    }
    if {![::kafkatcl::sidecar::IsPlain $partition] || [::tcl::info::exists ::kafkatcl::sidecar::encoded($topic)]
            || [catch {::kafkatcl::sidecar::Bytes $data} bytes]} {
        return [::kafkatcl::sidecar::Call produce $topic $partition $payload {*}$args]
    }
    return [::kafkatcl::sidecar::Produce PRODUCE $topic $partition $keyLength {} $bytes]
}

# The bridge call produce_rows: produce messages, and wait for the answer.
#   rows    a list of lists, each a payload and perhaps a key
#   Result  its value is 1, or 0 if they have to go as words, by produce_batch
proc ::kafkatcl::bridge::produce_rows {topic partition rows} {
    if {![::kafkatcl::sidecar::IsPlain $partition] || [::tcl::info::exists ::kafkatcl::sidecar::encoded($topic)]
            || [catch {::kafkatcl::sidecar::Rows $rows} result]} {
        return {0 0}
    }
    set parts [lassign $result lengths]
    set count [expr {[llength $lengths] / 2}]
    set answer [::kafkatcl::sidecar::Produce PRODUCE_BATCH $topic $partition $count $lengths {} {*}$parts]
    return [expr {[lindex $answer 0] eq 0 ? {0 1} : $answer}]
}

# The bridge call produce_message: what it answers brings a new grant.
proc ::kafkatcl::bridge::produce_message {topic partition args} {
    return [::kafkatcl::sidecar::Outcome $topic $partition \
        [::kafkatcl::sidecar::Call produce_message $topic $partition {*}$args]]
}

# The bridge call produce_messages, for a list whose elements are lists.
proc ::kafkatcl::bridge::produce_messages {topic partition prefix isCertain messages} {
    if {[catch {::kafkatcl::sidecar::Listed $messages} list]} {
        return {0 again}
    }
    set call [::kafkatcl::sidecar::Words [list produce_messages $topic $partition $prefix $isCertain]]
    set call [::tcl::binary::format i [::tcl::string::length $call]]$call
    set partition [expr {$partition eq "" ? -1 : $partition}]
    return [::kafkatcl::sidecar::Outcome $topic $partition [::kafkatcl::sidecar::Ask LIST_CALL $call {*}$list]]
}

# Messages as a LIST_CALL has them.
#   messages  a list of names and values
#   Result    a list of two: the numbers and the strings, as bytes
#   Errors    if there is anything unusual
proc ::kafkatcl::sidecar::Listed {messages} {
    variable utf8
    set sizes {}
    set lengths {}
    set text {}
    foreach message $messages {
        lappend sizes [llength $message]
        foreach {name value} $message {
            append text $name
            if {$name eq "headers" || $name eq "null_headers"} {
                lappend lengths [::tcl::string::length $name] [expr {-1 - [llength $value]}]
                foreach part $value {
                    lappend lengths [::tcl::string::length $part]
                    append text $part
                }
            } else {
                lappend lengths [::tcl::string::length $name] [::tcl::string::length $value]
                append text $value
            }
        }
    }
    set numbers [list [::tcl::string::length $text] [llength $sizes] {*}$sizes {*}$lengths]
    return [list [::tcl::binary::format ii* [llength $numbers] $numbers] [::tcl::encoding::convertto {*}$utf8 $text]]
}

# Take the grant that comes with what a bridge call returns.
#   Result  the answer without it
proc ::kafkatcl::sidecar::Outcome {topic partition answer} {
    Granted $topic $partition $answer
    return [expr {[lindex $answer 0] eq 0 ? [list 0 [lindex $answer 1 3]] : $answer}]
}

# The messages of a list of lists.
#   Result  the list of their lengths, those of the payload and of the key of each, -1
#           without a key; then all their bytes, in parts of about 1 MB
#   Errors  if there is anything unusual
proc ::kafkatcl::sidecar::Rows {rows} {
    set lengths {}
    set parts {}
    set data {}
    set size 0
    foreach row $rows {
        lassign $row payload key
        set length [::tcl::string::length $payload]
        switch [llength $row] {
            1 {lappend lengths $length -1}
            2 {lappend lengths $length [::tcl::string::length $key]}
            default {error "neither a payload nor a payload and a key"}
        }
        append data $payload $key
        if {[incr size $length] > 1000000} {
            lappend parts [Bytes $data]
            set data {}
            set size 0
        }
    }
    return [list $lengths {*}$parts [Bytes $data]]
}

# A string as bytes.
#   Errors  if it has characters above U+00FF
proc ::kafkatcl::sidecar::Bytes {string} {
    set bytes [::tcl::binary::format a* $string]
    if {$bytes ne $string} {
        error "no bytes"
    }
    return $bytes
}

# Take the grant that comes with an answer.
#   Result  the answer
proc ::kafkatcl::sidecar::Granted {topic partition answer} {
    variable grant
    variable encoded
    if {[lindex $answer 0] eq 0} {
        lassign [lindex $answer 1] handle messages isKnown
        set grant($handle) $messages
        if {$isKnown && ![::tcl::info::exists encoded($topic)]} {
            set grant($topic,$partition) $handle
        }
    }
    return $answer
}

# The bridge call text_encoding; a topic that has an encoding is granted nothing.
proc ::kafkatcl::bridge::text_encoding {id args} {
    set answer [::kafkatcl::sidecar::Call text_encoding $id {*}$args]
    if {[llength $args] && [lindex $answer 0] ne 1} {
        ::kafkatcl::sidecar::Revoke $id
        if {[lindex $args 0] ne "binary"} {
            set ::kafkatcl::sidecar::encoded($id) 1
        }
    }
    return $answer
}

# The bridge call delete; what was granted for the object is no more.
proc ::kafkatcl::bridge::delete {id} {
    ::kafkatcl::sidecar::Revoke $id
    return [::kafkatcl::sidecar::Call delete $id]
}

# Forget what was granted for an object, and its encoding.
#   id  of a producer handle, or of a topic; for any other nothing happens
proc ::kafkatcl::sidecar::Revoke {id} {
    variable grant
    variable encoded
    unset -nocomplain encoded($id)
    array unset grant $id,*
    if {[::tcl::info::exists grant($id)]} {
        unset grant($id)
        foreach {place handle} [array get grant *,*] {
            if {$handle eq $id} {
                unset grant($place)
            }
        }
    }
}
