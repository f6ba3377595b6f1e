# producing.tcl --
#
#   Producing messages with all that they may have, and what becomes of what is queued.
#   The words of messages become bytes in kafkatcl/bridge/outgoing.py.

::kafkatcl::Implement producer_topic produce {
    if {$given eq ""} {
        ::kafkatcl::Unwrap [::kafkatcl::bridge::produce $id {*}$words]
        return
    }
    set message [list payload $payload]
    if {[llength $words] == 3} {
        lappend message key $key
    }
    ::kafkatcl::producing::Send $id $partition $message $given
    return
}

::kafkatcl::Implement producer_topic tombstone {
    ::kafkatcl::producing::Send $id $partition [list key $key tombstone 1] $given
    return
}

::kafkatcl::Implement producer_topic produce_messages {
    ::kafkatcl::producing::RequireList -callback $callback
    set outcome {}
    if {[::kafkatcl::producing::CountOf $id $messages] > 0} {
        set call [list ::kafkatcl::bridge::produce_messages $id $partition $callback]
        set outcome [::kafkatcl::Unwrap [{*}$call 0 $messages]]
        if {$outcome eq "again" && [::kafkatcl::producing::Settle $messages]} {
            set outcome [::kafkatcl::Unwrap [{*}$call 1 $messages]]
        }
        if {$outcome eq "again"} {
            set outcome [::kafkatcl::Unwrap [{*}$call 1 [::kafkatcl::producing::Certain $messages]]]
        }
    }
    if {[llength $outcome]} {
        ::kafkatcl::producing::Fail $outcome
    }
    return
}

::kafkatcl::Implement handle flush {
    set timeout [expr {[llength $words] ? $timeoutMS : -1}]
    if {[llength $command]} {
        return [::kafkatcl::Ask $command handle_flush $id $timeout 0]
    }
    return [::kafkatcl::events::Flush $id [::kafkatcl::Unwrap [::kafkatcl::bridge::check_integer $timeout]]]
}

::kafkatcl::Implement handle purge {
    foreach name {queued in_flight} {
        if {![string is boolean -strict [set $name]]} {
            return -code error -errorcode {TCL VALUE BOOLEAN} "expected boolean value but got \"[set $name]\""
        }
    }
    ::kafkatcl::Unwrap [::kafkatcl::bridge::handle_purge $id [expr {!!$queued}] [expr {!!$in_flight}]]
    return
}

namespace eval ::kafkatcl::producing {
    # Queue one message.
    #   id       of the topic
    #   message  names and values
    #   options  those of `produce` that were given, and their words
    #   Errors   _INVALID_ARG where something is no list, or cannot be sent; those of
    #            `produce`
    proc Send {id partition message options} {
        set callback {}
        set headers {}
        foreach {option value} $options {
            switch -- $option {
                -callback {set callback $value}
                -headers {set headers $value}
                default {lappend message [::tcl::string::range $option 1 end] $value}
            }
        }
        RequireList -callback $callback
        RequireList -headers $headers
        ::kafkatcl::Unwrap [::kafkatcl::bridge::produce_message $id $partition $callback [llength $message] \
            {*}$message {*}$headers]
    }

    # Refuse what is no list.
    #   what    it is, for the error
    #   Errors  _INVALID_ARG, raised by the caller
    proc RequireList {what value} {
        if {[catch {llength $value} why]} {
            return -level 2 {*}[Invalid "$what is no list: $why"]
        }
    }

    # The words that make `return` raise the error of a bad argument.
    proc Invalid {why} {
        set code [::kafkatcl::failures::InvalidArgument $why]
        return [list -code error -errorcode $code "kafka error: [lindex $code 2] ($why)"]
    }

    # The number of messages in a list.  They become lists as well, of which a bridge
    # takes the elements sooner than of dicts.
    #   id      of the topic
    #   Errors  _INVALID_ARG if it is no list; that of a topic that is gone
    proc CountOf {id messages} {
        RequireList messages $messages
        if {[llength $messages] == 0} {
            ::kafkatcl::Unwrap [::kafkatcl::bridge::topic_name $id]
        }
        catch {
            foreach message $messages {
                llength $message
            }
        }
        return [llength $messages]
    }

    # Have each value of messages no other type than that of a string, or of bytes if it
    # has no other string: the bridge passes those as they are.  `string range` does
    # that to what it looks at (Tcl_GetRange in
    # https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclStringObj.c), which is
    # quicker than to make them anew.
    #   Result  0 if something is no list
    proc Settle {messages} {
        return [expr {![catch {
            foreach message $messages {
                foreach {name value} $message {
                    if {$name eq "headers" || $name eq "null_headers"} {
                        foreach part $value {
                            ::tcl::string::range $part 0 0
                        }
                    } else {
                        ::tcl::string::range $value 0 0
                    }
                }
            }
        }]}]
    }

    # The same by making the messages anew, for values that are both a list of headers
    # and something else.
    #   Result    the messages, as lists
    #   Errors    _INVALID_ARG if one is no dict, or its headers are no list
    proc Certain {messages} {
        set place 0
        foreach message $messages {
            if {[catch {llength $message} count] || $count % 2} {
                catch {dict size $message} why
                return {*}[Invalid "message $place is no dict: $why"]
            }
            set row {}
            foreach {name value} $message {
                lappend row [::tcl::string::range $name 0 end]
                if {$name in {headers null_headers}} {
                    RequireList "$name of message $place" $value
                    lappend row [lmap part $value {::tcl::string::range $part 0 end}]
                } else {
                    lappend row [::tcl::string::range $value 0 end]
                }
            }
            lappend rows $row
            incr place
        }
        return $rows
    }

    # Raise the error of messages that were not queued, with `-results`.
    #   outcome  the text and the errorCode of the error; and for each message nothing,
    #            or those of its own
    proc Fail {outcome} {
        set outcome [lassign $outcome error]
        set place 0
        set results {}
        foreach failure $outcome {
            lappend results $place [expr {$failure eq "" ? {ok {}} : [list error {*}$failure]}]
            incr place
        }
        set ::kafkatcl::failures::results $results
        lassign $error message code
        return -level 2 -code error -errorcode $code $message
    }
}
