# object.tcl --
#
#   What all object commands have in common: how they are named, made, renamed and
#   deleted, how a subcommand is found, and the errors about wrong words.  The objects
#   themselves live behind the bridge calls of ::kafkatcl::bridge; a command only knows
#   the object id of its object.
#
#   An object command is a procedure whose body is a switch over its subcommands.  A
#   subcommand is a procedure of the kind's namespace, made from its row in commands.tcl
#   and the code given to Implement, so that `consume_batch` of a queue is
#   ::kafkatcl::queue::consume_batch.  Levels seen from a subcommand: 1 is the object
#   command, 2 is whoever called it.

namespace eval ::kafkatcl {
    variable fastPaths      ;# kind,subcommand -> a body to try before the procedure
    variable bodies         ;# kind -> the body of its object commands
    variable commandOf      ;# object id -> the present name of its command
    array set fastPaths {}
    array set bodies {}
    array set commandOf {}
}

# Say how a subcommand is used, under the name the object was called by.
proc ::kafkatcl::Usage {text} {
    set name [lindex [info level -2] 0]
    return -level 2 -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"$name $text\""
}

# The words of an enumeration as errors show them: "a or b", "a, b, or c".
proc ::kafkatcl::Choices {words} {
    if {[llength $words] == 2} {
        return [join $words " or "]
    }
    return "[join [lrange $words 0 end-1] {, }], or [lindex $words end]"
}

# Refuse a second word that is not one of the choices.
proc ::kafkatcl::RequireSuboption {word choices} {
    if {$word ni $choices} {
        return -level 2 -code error -errorcode [list TCL LOOKUP INDEX suboption $word] \
            "bad suboption \"$word\": must be [Choices $choices]"
    }
}

# Refuse a subcommand; `words` are those the object command was called with.
proc ::kafkatcl::Unknown {kind words subcommand} {
    variable kinds
    if {[llength $words] == 1} {
        return -level 2 -code error -errorcode {TCL WRONGARGS} \
            "wrong # args: should be \"[lindex $words 0] subcommand ?args?\""
    }
    set original [lmap name $kinds($kind) {
        if {[Field $kind $name since] ne ""} {
            continue
        }
        set name
    }]
    return -level 2 -code error -errorcode [list TCL LOOKUP INDEX option $subcommand] \
        "bad option \"$subcommand\": must be [Choices $original]"
}

# The kind of object that a command is, nothing if it is none.
proc ::kafkatcl::KindOf {command} {
    foreach trace [trace info command $command] {
        lassign [lindex $trace 1] follower kind
        if {$follower eq "::kafkatcl::Changed"} {
            return $kind
        }
    }
    return [expr {[namespace origin $command] eq "::kafka::kafka" ? "kafka" : ""}]
}

# Give a subcommand a body within the object command, which saves a call where every one
# counts.  It returns what it can do and has no errors of ours; else the procedure is
# called.  Its commands have full names, as the script's namespace may have its own.
# %id% stands for the object id.
proc ::kafkatcl::FastPath {kind subcommand body} {
    variable fastPaths
    set fastPaths($kind,$subcommand) $body
}

# A call whose words may be secrets, with errors that do not show them.
proc ::kafkatcl::Discreet {call} {
    return [string map [list %call% $call] {
        ::if {[::catch {%call%} result options] && [::dict get $options -code] == 1} {
            {*}[::kafkatcl::secrets::Refusal [::info level 0] $options $result]
        }
        ::return -options $options $result
    }]
}

# Whether the words of a subcommand, or of one that it leads to, may be secrets.
proc ::kafkatcl::MayShowSecrets {kind subcommand} {
    return [expr {$subcommand eq "creator" || [Field $kind $subcommand properties] eq 1}]
}

# The body of an object command; `id` is an object id, or a variable reference to one.
proc ::kafkatcl::Body {kind id} {
    variable bodies
    if {![info exists bodies($kind)]} {
        set bodies($kind) [KindBody $kind]
    }
    return [string map [list %id% $id] $bodies($kind)]
}

# The same with %id% for the object id.
proc ::kafkatcl::KindBody {kind} {
    variable kinds
    variable fastPaths
    Define $kind
    set cases {}
    foreach subcommand $kinds($kind) {
        set call "::kafkatcl::${kind}::$subcommand %id% \$args"
        set call [expr {[MayShowSecrets $kind $subcommand] ? [Discreet $call] : [failures::Body $call]}]
        if {[info exists fastPaths($kind,$subcommand)]} {
            set call "$fastPaths($kind,$subcommand)\n$call"
        }
        lappend cases $subcommand $call
    }
    lappend cases help [failures::Body [format {::kafkatcl::Help %s $args} $kind]]
    lappend cases default [Discreet "::kafkatcl::Unknown $kind \[::info level 0\] \$subcommand"]
    return [core::Named "::switch -exact -- \$subcommand [list $cases]"]
}

# Make an object and its command, which may be given as #auto for a name with this
# prefix; the command's full name.  `make` is the bridge call that makes the object.
proc ::kafkatcl::Create {kind name prefix make} {
    if {$name eq "#auto"} {
        set name [Unwrap [bridge::auto_name $prefix]]
    }
    set full [FullName $name 4]
    return [MakeCommand $kind [Unwrap [{*}$make]] $full]
}

# The subcommand `help` of all objects, which no error lists: the original has none.
proc ::kafkatcl::Help {kind words} {
    set name [lindex [info level -1] 0]
    if {[llength $words] > 1} {
        return -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"$name help ?subcommand?\""
    }
    return [help::Text $kind [lindex $words 0] $name]
}

# The full name of a command to make.  An unqualified name is global; a relative one
# belongs to the namespace of whoever called the object command, which is `level` levels
# up, and three more behind `creator`.
proc ::kafkatcl::FullName {name level} {
    if {[string match ::* $name]} {
        return $name
    }
    if {[string first :: $name] < 0} {
        return ::$name
    }
    if {[lindex [info level [expr {1 - $level}]] 0] eq "creator"} {
        incr level 3
    }
    set namespace [uplevel $level {namespace current}]
    return [string trimright $namespace :]::$name
}

# Make the command of an object.  A command of this name is replaced; an object it may
# be is deleted.
proc ::kafkatcl::MakeCommand {kind id name} {
    variable commandOf
    if {[namespace qualifiers $name] ne ""} {
        namespace eval [namespace qualifiers $name] {}
    }
    if {[namespace which -command $name] ne ""} {
        rename $name {}
    }
    proc $name {{subcommand {}} args} [Body $kind $id]
    set commandOf($id) $name
    trace add command $name {rename delete} [list ::kafkatcl::Changed $kind $id]
    return $name
}

# Follow the command of an object: it is known under its new name, or its object goes
# with it.
proc ::kafkatcl::Changed {kind id old new operation} {
    variable commandOf
    if {$operation eq "rename"} {
        set commandOf($id) $new
        return
    }
    unset -nocomplain commandOf($id)
    ::kafkatcl::${kind}::Deleted $id
}

# Delete an object by its command.
proc ::kafkatcl::DeleteCommand {id} {
    variable commandOf
    if {[info exists commandOf($id)]} {
        rename $commandOf($id) {}
    }
}

# Release an object, and the callbacks of the partitions that it fetched.  Messages
# whose callback has run count as consumed.
proc ::kafkatcl::Release {id} {
    Requeue
    events::Acknowledge
    events::DropStopped [Unwrap [bridge::delete $id]]
    ahead::DropObject $id
}
