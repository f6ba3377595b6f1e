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
        if {$layout ni {plain keyed} || $::kafkatcl::layouts::hasMore} {
            set layout [::kafkatcl::layouts::ForArrays $layout]
        }
    }
    # whether something has come that sets in an array what plain and keyed messages
    # never have: another message, an error, or the end of a partition
    variable hasMore 0
    lassign [::kafkatcl::Unwrap [::kafkatcl::bridge::message_layouts]] names columns
    set optional [lrange [dict get $columns mixed] [llength [dict get $columns plain]]+1 end]
    # Plain and keyed messages have two layouts for arrays, see ForArrays.
    foreach layout {plain keyed} {
        dict set columns $layout,unset [dict get $columns $layout]
    }
    unset layout
}

# Messages as they came over the bridge, or anything else that did: where C has laid
# them out, the layout and the fields are taken from there.
#   item    a list: head, topic, partition, layout, fields
#   Result  the same, with a layout of ours
proc ::kafkatcl::layouts::Received {item} {
    if {[lindex $item 3] ne "fetched"} {
        return $item
    }
    return [list {*}[lrange $item 0 2] {*}[::kafkatcl::bridge::fetched [lindex $item 4]]]
}

# The same for several: what C has laid out stays there until somebody takes it.
proc ::kafkatcl::layouts::ReceivedAll {items} {
    return [lmap item $items {Received $item}]
}

# The number of fields that a layout has of each message.
proc ::kafkatcl::layouts::Width {layout} {
    variable columns
    return [llength [dict get $columns $layout]]
}

# The layout by which arrays are set to messages.  What plain and keyed messages never
# have is not unset before something with more has come, as that takes time.
#   layout  that of the messages, from the engine
#   Result  the same, or a layout of our own, such as "plain,unset"
proc ::kafkatcl::layouts::ForArrays {layout} {
    NoteMore
    return [expr {$layout in {plain keyed} ? "$layout,unset" : $layout}]
}

# Arrays are going to have more than plain and keyed messages set: the first time, what
# was read ahead is requeued, to be read anew in a layout that has it unset.
proc ::kafkatcl::layouts::NoteMore {} {
    variable hasMore
    if {!$hasMore} {
        set hasMore 1
        ::kafkatcl::ahead::Requeue
    }
}

# A text that does what the layout asks for.
#   make      a command prefix: it gets the name of a layout, and gives the text for that
#   forArray  1 if the layout may be one of our own
#   Result    a `switch` over `layout`
proc ::kafkatcl::layouts::Switch {make {forArray 0}} {
    variable columns
    set cases {}
    foreach layout [dict keys $columns] {
        if {!$forArray && [string match *,unset $layout]} {
            continue
        }
        append cases "$layout {[{*}$make $layout]} "
    }
    return "::kafkatcl::core::switch -exact -- \$layout {$cases}"
}

# How the messages of a layout are put into arrays, for C: three words for each field.
# They are its name; its place among the fields of a message, -1 for what is that of the
# topic, -2 for the partition, -3 for what arrays are to have unset; and its bit, 0 for
# what all of the messages have, or none.
#   layout  also one of our own
proc ::kafkatcl::layouts::Shape {layout} {
    variable names
    variable columns
    variable optional
    set fields [dict get $columns $layout]
    set rows {}
    foreach name $names {
        set place [lsearch -exact $fields $name]
        if {$name in $optional && $place < 0} {
            continue
        }
        set bit [expr {$layout eq "mixed" && $name in $optional ? [Bit $name] : 0}]
        lappend rows $name [expr {$place < 0 ? $name eq "topic" ? -1 : -2 : $place}] $bit
    }
    foreach name [Unset $layout] {
        lappend rows $name -3 0
    }
    return $rows
}

# The names that arrays are to have unset behind a message of a layout: what it never
# has and others have, and what an error or the end of a partition sets.
proc ::kafkatcl::layouts::Unset {layout} {
    variable columns
    variable optional
    set fields [dict get $columns $layout]
    set unset [lmap name $optional {
        if {$name in $fields} {
            continue
        }
        set name
    }]
    if {$layout in {plain keyed}} {
        return [lsearch -all -inline -exact $unset key]
    }
    return [concat $unset end error code message]
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
    return "$text[Switch FillOptional 1]\n::incr at"
}

# The part of that for optional fields, and for what an error or the end of a partition
# has set there; for Switch.
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
        if {$layout eq "mixed"} {
            append text "::if {\$present & [Bit $name]} {$set} else {::incr at; ::unset -nocomplain <array>($name)}\n"
        } elseif {$name in $fields} {
            append text $set \n
        }
    }
    set unset [lmap name [Unset $layout] {set name <array>($name)}]
    return [expr {[llength $unset] ? "${text}::unset -nocomplain [join $unset]\n" : $text}]
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
