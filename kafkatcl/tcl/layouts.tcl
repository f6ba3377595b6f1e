# layouts.tcl --
#
#   Texts for what is done with each message, made of the rows in kafkatcl/engine/layouts.py.  They are put into the
#   procedures that need them, as a call for each message would cost more than all of this.
#
#   Their variables: `layout` is the name of the layout of messages in a row, `fields` their fields, `at` the place of the
#   first field of one of them, and `topic` and `partition` what they share.  Their commands begin with ::, for core::Named.

namespace eval ::kafkatcl::layouts {
    variable names          ;# all that a message may have, in the order of lists
    variable columns        ;# layout -> the fields that it has of each message, in their order
    variable optional       ;# the fields that not every message has
    lassign [::kafkatcl::Value [::kafkatcl::bridge::message_layouts]] names columns
    set optional [lrange [dict get $columns mixed] [llength [dict get $columns plain]]+1 end]
}

# The number of fields that a layout has of each message.
proc ::kafkatcl::layouts::Width {layout} {
    variable columns
    return [llength [dict get $columns $layout]]
}

# Do for messages of whatever layout what the text says that a command makes for one layout.
proc ::kafkatcl::layouts::Switch {make} {
    variable columns
    set cases [lmap layout [dict keys $columns] {
        string cat "{\$layout eq \"$layout\"} {" [{*}$make $layout] "}"
    }]
    return "::if [join $cases { elseif }]"
}

# Set `width`.
proc ::kafkatcl::layouts::SetWidth {layout} {
    return "::set width [Width $layout]"
}

# Set <array> to the message at `at`, and that to the next one.  What other messages had and this one has not is unset.
proc ::kafkatcl::layouts::Fill {} {
    variable names
    variable columns
    variable optional
    set text {}
    set place {$at}
    foreach name $names {
        if {$name in [dict get $columns plain]} {
            append text "::set <array>($name) \[::lindex \$fields $place\]\n"
            set place {[::incr at]}
        } elseif {$name ni $optional} {
            append text "::set <array>($name) \$$name\n"
        }
    }
    return "$text[Switch FillOptional]\n::incr at"
}

# The same of what only some messages have.
proc ::kafkatcl::layouts::FillOptional {layout} {
    variable columns
    variable optional
    set text [expr {$layout eq "mixed" ? "::set present \[::lindex \$fields \[::incr at\]\]\n" : ""}]
    foreach name $optional {
        set set "::set <array>($name) \[::lindex \$fields \[::incr at\]\]"
        set unset "::unset -nocomplain <array>($name)"
        if {$layout eq "mixed"} {
            append text "::if {\$present & [Bit $name]} {$set} else {::incr at; $unset}\n"
        } else {
            append text [expr {$name in [dict get $columns $layout] ? $set : $unset}] \n
        }
    }
    return $text
}

# The list of names and values of a message.  How a field is read is said with %name% and %place% in the place of its
# name and of its place among the fields of the message.
proc ::kafkatcl::layouts::Pairs {read layout} {
    variable names
    variable columns
    variable optional
    set pairs {}
    foreach name $names {
        set pair "$name [Read $read $layout $name]"
        if {$name ni $optional} {
            append pairs " $pair"
        } elseif {$layout eq "mixed"} {
            append pairs " {*}\[::expr {[Read $read $layout present] & [Bit $name] ? \[::list $pair\] : {}}\]"
        } elseif {$name in [dict get $columns $layout]} {
            append pairs " $pair"
        }
    }
    return "\[::list$pairs\]"
}

# Return that list.
proc ::kafkatcl::layouts::ReturnPairs {read layout} {
    return "::return [Pairs $read $layout]"
}

# The value of a field, or of what all messages share.
proc ::kafkatcl::layouts::Read {read layout name} {
    variable columns
    set place [lsearch -exact [dict get $columns $layout] $name]
    return [expr {$place < 0 ? "\$$name" : [string map [list %name% $name %place% $place] $read]}]
}

# The bit in `present` that says whether a message has a field.
proc ::kafkatcl::layouts::Bit {name} {
    variable optional
    return [expr {1 << [lsearch -exact $optional $name]}]
}

# Run a text for each of several messages, with their fields in variables of their names.
proc ::kafkatcl::layouts::ForEach {messages text layout} {
    variable columns
    return "::foreach {[dict get $columns $layout]} $messages {[string map [list %pairs% [Pairs {$%name%} $layout]] $text]}"
}
