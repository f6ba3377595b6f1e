# subscriber.tcl --
#
#   Subscribers.  Partitions are given as separate words, each a list: topic ?partition? ?offset?.

::kafkatcl::DefineKind subscriber {
    subscribe unsubscribe assign assignment commit consume callback offsets watermarks meta info delete error
}

namespace eval ::kafkatcl::subscriber {
    variable timeout 5000   ;# ms that brokers get to answer, when the script does not say
}

# The words topic, partition, offset of each element; what is not given is empty.
proc ::kafkatcl::subscriber::Positions {elements {mayBePatterns 0}} {
    set words {}
    foreach element $elements {
        if {$mayBePatterns && [string index $element 0] eq "^"} {
            lappend words {*}[Pattern $element]
        } elseif {[llength $element] > 0} {
            lappend words [lindex $element 0] [lindex $element 1] [lindex $element 2]
        }
    }
    return $words
}

# The same three words of a pattern.  As a list it would lose its backslashes.
proc ::kafkatcl::subscriber::Pattern {element} {
    if {[regexp {^(\S+)\s+([-+]?\d+)(?:\s+(\S+))?\s*$} $element all pattern partition offset]} {
        return [list $pattern $partition $offset]
    }
    return [list [string trimright $element] {} {}]
}

# Refuse a first word that looks like an option.  A topic whose name begins with a dash comes with its partition.
proc ::kafkatcl::subscriber::RequireNoOption {words options} {
    set word [lindex $words 0]
    if {[string match -* $word] && [string is list $word] && [llength $word] == 1} {
        return -level 2 -code error -errorcode [list TCL LOOKUP INDEX option $word] \
            "bad option \"$word\": must be $options"
    }
}

::kafkatcl::Takes ::kafkatcl::subscriber::subscribe {subscribe ?topic ...?}
proc ::kafkatcl::subscriber::subscribe {id words} {
    if {[llength $words] == 0} {
        return [::kafkatcl::Value [::kafkatcl::bridge::subscriber_subscription $id]]
    }
    ::kafkatcl::Value [::kafkatcl::bridge::subscriber_subscribe $id {*}[Positions $words 1]]
    return
}

proc ::kafkatcl::subscriber::unsubscribe {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "unsubscribe "
    }
    ::kafkatcl::GiveBack
    ::kafkatcl::Value [::kafkatcl::bridge::subscriber_unsubscribe $id]
    return
}

::kafkatcl::Takes ::kafkatcl::subscriber::assign {assign ?position ...?}
proc ::kafkatcl::subscriber::assign {id words} {
    ::kafkatcl::GiveBack
    ::kafkatcl::Value [::kafkatcl::bridge::subscriber_assign $id {*}[Positions $words]]
    return
}

::kafkatcl::Takes ::kafkatcl::subscriber::assignment assignment
proc ::kafkatcl::subscriber::assignment {id words} {
    return [::kafkatcl::Value [::kafkatcl::bridge::subscriber_assignment $id]]
}

::kafkatcl::Takes ::kafkatcl::subscriber::commit {commit ?-async? ?position ...?}
proc ::kafkatcl::subscriber::commit {id words} {
    set wait 1
    if {[lindex $words 0] eq "-async"} {
        set wait 0
        set words [lrange $words 1 end]
    }
    RequireNoOption $words -async
    ::kafkatcl::Settle
    ::kafkatcl::Value [::kafkatcl::bridge::subscriber_commit $id $wait {*}[Positions $words]]
    return
}

::kafkatcl::Inline subscriber consume [::kafkatcl::messages::Text {
    ::if {[::llength $args] <= 1} {
        ::set words [::lindex $args 0]
        %find%
        ::if {[::tcl::info::exists at]} {
            ::return [::kafkatcl::messages::Pairs $topic $partition $width $fields $at]
        }
    }
}]

proc ::kafkatcl::subscriber::consume {id words} {
    if {[llength $words] > 1} {
        ::kafkatcl::Usage "consume ?timeout?"
    }
    set timeout [lindex $words 0]
    ::kafkatcl::ahead::Meet $id $timeout
    set value [::kafkatcl::Value [::kafkatcl::bridge::subscriber_consume $id {*}[Timeout $timeout]]]
    switch -- [lindex $value 0] {
        messages {
            lassign $value kind topic partition width fields
            ::kafkatcl::ahead::Keep $id $timeout $topic $partition $width $fields
            return [::kafkatcl::messages::Pairs $topic $partition $width $fields 0]
        }
        error {
            lassign $value kind error name details
            return [list error $error code $name message $details]
        }
    }
    return
}

# What `consume` waits: none is 0.  An `expr` would make another number of one.
proc ::kafkatcl::subscriber::Timeout {timeout} {
    if {$timeout eq ""} {
        return 0
    }
    return [list $timeout]
}

proc ::kafkatcl::subscriber::callback {id words} {
    if {[llength $words] > 1} {
        ::kafkatcl::Usage "callback ?callback?"
    }
    if {[llength $words] == 0} {
        return [::kafkatcl::events::Get $id]
    }
    ::kafkatcl::GiveBack
    set prefix [lindex $words 0]
    if {[llength $prefix] == 0 || $prefix eq "#none"} {
        ::kafkatcl::events::Unset $id
        ::kafkatcl::Value [::kafkatcl::bridge::subscriber_listen $id 0]
    } else {
        ::kafkatcl::events::Set $id $prefix
        ::kafkatcl::Value [::kafkatcl::bridge::subscriber_listen $id 1]
    }
    return
}

proc ::kafkatcl::subscriber::offsets {id words} {
    variable timeout
    set usage "offsets ?-committed? ?-timeout ms? {topic partition} ?{topic partition}...?"
    set committed 0
    set wait $timeout
    while {[lindex $words 0] in {-committed -timeout}} {
        if {[lindex $words 0] eq "-committed"} {
            set committed 1
            set words [lrange $words 1 end]
        } else {
            set wait [lindex $words 1]
            set words [lrange $words 2 end]
        }
    }
    if {[llength $words] == 0} {
        ::kafkatcl::Usage $usage
    }
    RequireNoOption $words {-committed or -timeout}
    ::kafkatcl::Value [::kafkatcl::bridge::check_integer $wait]
    if {$committed} {
        return [::kafkatcl::Value [::kafkatcl::bridge::subscriber_committed $id $wait {*}[Positions $words]]]
    }
    ::kafkatcl::Settle
    return [::kafkatcl::Value [::kafkatcl::bridge::subscriber_positions $id {*}[Positions $words]]]
}

proc ::kafkatcl::subscriber::watermarks {id words} {
    variable timeout
    set cached 0
    set wait $timeout
    # Options count only while two more words follow, so that a topic may have the name of one.
    while {[llength $words] > 2} {
        switch -- [lindex $words 0] {
            -cached {
                set cached 1
                set words [lrange $words 1 end]
            }
            -timeout {
                set wait [lindex $words 1]
                set words [lrange $words 2 end]
            }
            default {
                break
            }
        }
    }
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "watermarks ?-cached? ?-timeout ms? topic partition"
    }
    return [::kafkatcl::Value [::kafkatcl::bridge::subscriber_watermarks $id $wait $cached {*}$words]]
}

proc ::kafkatcl::subscriber::error {id words} {
    if {[llength $words] != 2} {
        ::kafkatcl::Usage "error errno reason"
    }
    ::kafkatcl::Value [::kafkatcl::bridge::handle_error $id {*}$words]
    return
}

proc ::kafkatcl::subscriber::delete {id words} {
    if {[llength $words] != 0} {
        ::kafkatcl::Usage "delete "
    }
    if {$id in $::kafkatcl::events::running} {
        return -code error "Can not delete Subscriber from inside subscriber callback"
    }
    ::kafkatcl::DeleteCommand $id
}

proc ::kafkatcl::subscriber::Deleted {id} {
    ::kafkatcl::events::Unset $id
    ::kafkatcl::Release $id
}

foreach subcommand {meta info} {
    namespace eval ::kafkatcl::handle [list namespace export $subcommand]
    namespace eval ::kafkatcl::subscriber [list namespace import ::kafkatcl::handle::$subcommand]
}
