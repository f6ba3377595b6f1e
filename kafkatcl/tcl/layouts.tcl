# layouts.tcl --
#
#   Texts of what is done with each message, made from the rows in
#   kafkatcl/engine/layouts.py.  They are put into the procedures that need them: a call
#   for each message would cost more than all of this.
#
#   What they find in variables, of messages in a row: the name of their layout
#   (`layout`), their fields (`fields`), the place of the first field of one of them
#   (`at`), and what they share (`topic`, `partition`).

namespace eval ::kafkatcl::layouts {
    variable names          ;# what a message may have, in the order of lists
    variable columns        ;# layout -> the fields it has of each message
    variable optional       ;# the fields that not every message has
    variable hasMixed 0     ;# whether a mixed message has come
    lassign [::kafkatcl::Unwrap [::kafkatcl::bridge::message_layouts]] names columns
    set optional [lrange [dict get $columns mixed] [llength [dict get $columns plain]]+1 end]
    # Where there are fields that only mixed messages have, see ForArrays.
    if {[llength $optional] > 1} {
        foreach layout {plain keyed} {
            dict set columns $layout,unset [dict get $columns $layout]
        }
    }
}

# The number of fields that a layout has of each message.
proc ::kafkatcl::layouts::Width {layout} {
    variable columns
    return [llength [dict get $columns $layout]]
}

# The layout by which arrays are set to messages.  What only mixed messages have is not
# unset before one has come, as that takes time.  What was read ahead until then is read
# anew, to be kept with the layout that has it unset.
proc ::kafkatcl::layouts::ForArrays {layout} {
    variable columns
    variable hasMixed
    if {$layout eq "mixed" && !$hasMixed} {
        set hasMixed 1
        ::kafkatcl::ahead::Requeue
    }
    return [expr {$hasMixed && [dict exists $columns $layout,unset] ? "$layout,unset" : $layout}]
}

# Do what a command says for each layout: it gets the name of one and gives the text.
proc ::kafkatcl::layouts::Switch {make} {
    variable columns
    set cases {}
    foreach layout [dict keys $columns] {
        append cases "$layout {[{*}$make $layout]} "
    }
    return "::kafkatcl::core::switch -exact -- \$layout {$cases}"
}

# Set `width`.
proc ::kafkatcl::layouts::SetWidth {layout} {
    return "set width [Width $layout]"
}

# -- arrays ----------------------------------------------------------------------------

# Set <array> to a message, unset what others had and this one has not, and move `at` to
# the next one.  The commands have names for core::Named.
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

proc ::kafkatcl::layouts::FillOptional {layout} {
    variable columns
    variable optional
    set fields [dict get $columns $layout]
    set text {}
    if {$layout eq "mixed"} {
        append text "::set present \[::lindex \$fields \[::incr at\]\]\n"
    }
    foreach name $optional {
        set set "::set <array>($name) \[::lindex \$fields \[::incr at\]\]"
        set unset "::unset -nocomplain <array>($name)"
        if {$layout eq "mixed"} {
            append text "::if {\$present & [Bit $name]} {$set} else {::incr at; $unset}\n"
        } elseif {$name in $fields} {
            append text $set \n
        } elseif {$name in [dict get $columns keyed] || [string match *,unset $layout]} {
            append text $unset \n
        }
    }
    return $text
}

# The bit in `present` that says whether a message has a field.
proc ::kafkatcl::layouts::Bit {name} {
    variable optional
    return [expr {1 << [lsearch -exact $optional $name]}]
}

# -- lists -----------------------------------------------------------------------------

# The list of the names and values of a message.  `read` is how a field is read, with
# %name% for its name and %place% for its place among those of the message.
proc ::kafkatcl::layouts::Pairs {read layout} {
    variable names
    variable columns
    variable optional
    set fields [dict get $columns $layout]
    set text list
    foreach name $names {
        if {$name ni $optional || $name in $fields && "present" ni $fields} {
            append text " $name [Value $read $fields $name]"
        } elseif {$name in $fields} {
            append text " {*}\[expr {[Value $read $fields present] & [Bit $name]\
                ? \[list $name [Value $read $fields $name]\] : {}}\]"
        }
    }
    return "\[$text\]"
}

# A value of a message: of a field, or of what all share.
proc ::kafkatcl::layouts::Value {read fields name} {
    set place [lsearch -exact $fields $name]
    return [expr {$place < 0 ? "\$$name" : [string map [list %name% $name %place% $place] $read]}]
}

# Return the list of the message at `at`.
proc ::kafkatcl::layouts::ReturnPairs {layout} {
    return "return [Pairs {[lindex $fields $at+%place%]} $layout]"
}

# Run a text for each of several messages, with %pairs% in it for the message's list.
proc ::kafkatcl::layouts::ForEach {messages text layout} {
    variable columns
    set body [string map [list %pairs% [Pairs {$%name%} $layout]] $text]
    return "foreach {[dict get $columns $layout]} $messages {$body}"
}
