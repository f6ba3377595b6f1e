# layouts.tcl --
#
#   Texts of what is done with each message, made from the rows in
#   kafkatcl/engine/layouts.py.  They are put into the procedures that need them: a call
#   for each message would cost more than all of this.
#
#   What the texts find in variables, of messages in a row: the name of their layout
#   (`layout`), their fields (`fields`), the place of the first field of one of them
#   (`at`), and what they share (`topic`, `partition`).

namespace eval ::kafkatcl::layouts {
    variable names          ;# the names of what a message may have, in the order of lists
    variable columns        ;# a dict: layout -> the names of the fields it has of each message
    variable optional       ;# the names of the fields that not every message has
    # A text: make `layout` the one by which arrays are set.
    variable forArrays {
        if {$layout eq "mixed" || $::kafkatcl::layouts::hasMixed} {
            set layout [::kafkatcl::layouts::ForArrays $layout]
        }
    }
    variable hasMixed 0     ;# whether a message has come with what only mixed ones have
    lassign [::kafkatcl::Unwrap [::kafkatcl::bridge::message_layouts]] names columns
    set optional [lrange [dict get $columns mixed] [llength [dict get $columns plain]]+1 end]
    # Where there are fields that only mixed messages have, plain and keyed ones have
    # two layouts for arrays, see ForArrays.
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
# unset before one has come, as that takes time.  When the first one comes, what was
# read ahead is requeued, to be read anew in a layout that has it unset.  Without mixed
# messages the layout stays the same, and there is no need to ask.
#   layout  that of the messages, from the engine
#   Result  the same, or a layout of our own, such as "plain,unset"
proc ::kafkatcl::layouts::ForArrays {layout} {
    variable columns
    variable hasMixed
    if {![dict exists $columns plain,unset]} {
        return $layout
    }
    if {!$hasMixed} {
        set hasMixed 1
        ::kafkatcl::ahead::Requeue
    }
    return [expr {$layout eq "mixed" ? $layout : "$layout,unset"}]
}

# A text that does what the layout asks for.
#   make    a command prefix: it gets the name of a layout, and gives the text for that
#   Result  a `switch` over `layout`
proc ::kafkatcl::layouts::Switch {make} {
    variable columns
    set cases {}
    foreach layout [dict keys $columns] {
        append cases "$layout {[{*}$make $layout]} "
    }
    return "::kafkatcl::core::switch -exact -- \$layout {$cases}"
}

# A text that sets `width`; for Switch.
proc ::kafkatcl::layouts::SetWidth {layout} {
    return "set width [Width $layout]"
}

# -- arrays ----------------------------------------------------------------------------

# A text that sets <array> to the message at `at`, unsets what this one has not and
# others have, and moves `at` to the next one.  Its commands begin with ::, for
# core::Named.
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

# The part of that for optional fields; for Switch.
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

# A text in brackets that makes the list of the names and values of a message.
#   read  how a field is read, with %name% for its name and %place% for its place among
#         those of the message
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

# A text that reads a value of a message: from a field, or from the variable of what all
# share.
#   fields  the names of the fields of the layout
proc ::kafkatcl::layouts::Value {read fields name} {
    set place [lsearch -exact $fields $name]
    return [expr {$place < 0 ? "\$$name" : [string map [list %name% $name %place% $place] $read]}]
}

# A text that returns the list of the message at `at`; for Switch.
proc ::kafkatcl::layouts::ReturnPairs {layout} {
    return "return [Pairs {[lindex $fields $at+%place%]} $layout]"
}

# A text that runs another for each of several messages; for Switch.
#   messages  what has their fields, a word of Tcl
#   text      has %pairs% where the list of a message is to stand
proc ::kafkatcl::layouts::ForEach {messages text layout} {
    variable columns
    set body [string map [list %pairs% [Pairs {$%name%} $layout]] $text]
    return "foreach {[dict get $columns $layout]} $messages {$body}"
}
