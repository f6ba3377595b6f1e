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
    variable leading        ;# kind -> parameters in front of `args`, see FastPath
    variable objectBodies   ;# kind -> the body of its object commands
    variable commandOf      ;# object id -> the present name of its command
    namespace eval behind {}  ;# the procedures that stand behind commands in C
    array set fastPaths {}
    array set leading {}
    array set objectBodies {}
    array set commandOf {}
}

# Raise the error about a wrong number of words, from a subcommand.
#   text    the subcommand and its usage
#   Errors  TCL WRONGARGS: the text behind the name that the object was called by,
#           raised by the subcommand
#   Level   1 is the subcommand, 2 the object command, whose first word is the name
proc ::kafkatcl::Usage {text} {
    set name [lindex [info level -2] 0]
    return -level 2 -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"$name $text\""
}

# Join words as Tcl's own errors show what may be chosen.
#   Result  "a"; "a or b"; "a, b, or c"
proc ::kafkatcl::Choices {words} {
    if {[llength $words] < 3} {
        return [join $words " or "]
    }
    return "[join [lrange $words 0 end-1] {, }], or [lindex $words end]"
}

# Refuse a word that is none of the choices.
#   listed  those that the error lists; all of them if it is not given
#   Errors  TCL LOOKUP INDEX suboption WORD, raised by the caller
proc ::kafkatcl::RequireSuboption {word choices {listed {}}} {
    if {$word ni $choices} {
        set listed [expr {[llength $listed] ? $listed : $choices}]
        return -level 2 -code error -errorcode [list TCL LOOKUP INDEX suboption $word] \
            "bad suboption \"$word\": must be [Choices $listed]"
    }
}

# Refuse a subcommand that the kind does not have.
#   words   those the object command was called with, its own name first
#   Errors  TCL WRONGARGS if there is no subcommand at all, else TCL LOOKUP INDEX option
#           SUBCOMMAND; the message lists what the original has
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

# The object that a command stands for.
#   command  its name; it must exist
#   Result   a list of its kind and its object id; empty if the command is none of ours
proc ::kafkatcl::ObjectOf {command} {
    foreach trace [trace info command $command] {
        lassign [lindex $trace 1] follower kind id
        if {$follower eq "::kafkatcl::Changed"} {
            return [list $kind $id]
        }
    }
}

# The kind of object that a command stands for.
#   command  its name; it must exist
#   Result   a name from `order` in table.tcl; empty if the command is none of ours
proc ::kafkatcl::KindOf {command} {
    set kind [lindex [ObjectOf $command] 0]
    return [expr {[namespace origin $command] eq "::kafka::kafka" ? "kafka" : $kind}]
}

# Give a subcommand a fast path: a body that stands in the object command itself, which
# saves a call where every one counts.  The body returns what the usual case gives; in
# any other case, and for every error, its end is reached and the procedure of the
# subcommand is called.
#   body   its commands have full names, as the namespace of the object command may have
#          commands of the same names.  It has the words behind the subcommand in `args`,
#          and %id% stands for the object id.
#   words  names for the first of these words, which are not in `args` then: that takes
#          less than a list of all.  One that is not there is U+FFFF, which is no byte.
proc ::kafkatcl::FastPath {kind subcommand body {words {}}} {
    variable fastPaths
    variable leading
    set fastPaths($kind,$subcommand) $body
    if {[llength $words]} {
        set leading($kind) [lmap word $words {list $word \uFFFF}]
    }
}

# The parameters of the object commands of a kind.
proc ::kafkatcl::Parameters {kind} {
    variable leading
    return [list {subcommand {}} {*}[expr {[info exists leading($kind)] ? $leading($kind) : {}}] args]
}

# A body for a call whose words may be secrets: its errors do not show them.
#   call    a command, which finds the words behind the subcommand in `args`
#   Result  a script for the body of an object command; see secrets::Refusal
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

# The body of an object command, made once for each kind.
#   id  an object id, or `$name` for a command that has it in a variable
proc ::kafkatcl::Body {kind id} {
    variable objectBodies
    if {![info exists objectBodies($kind)]} {
        set objectBodies($kind) [KindBody $kind]
    }
    return [string map [list %id% $id] $objectBodies($kind)]
}

# The body of the object commands of a kind, with %id% for the object id.
proc ::kafkatcl::KindBody {kind} {
    variable kinds
    variable fastPaths
    variable leading
    Define $kind
    set words [expr {[info exists leading($kind)] ? {[::lrange [::info level 0] 2 end]} : {$args}}]
    set cases {}
    foreach subcommand $kinds($kind) {
        set call "[Procedure $kind $subcommand] %id% $words"
        set call [expr {[MayShowSecrets $kind $subcommand] ? [Discreet $call] : [failures::Body $call]}]
        if {[info exists fastPaths($kind,$subcommand)]} {
            set call "$fastPaths($kind,$subcommand)\n$call"
        }
        lappend cases $subcommand $call
    }
    lappend cases help [failures::Body "::kafkatcl::Help $kind $words"]
    lappend cases default [Discreet "::kafkatcl::Unknown $kind \[::info level 0\] \$subcommand"]
    return [core::Named "::switch -exact -- \$subcommand [list $cases]"]
}

# Make an object and its command; called by a subcommand that makes objects.
#   name    as the script gave it; #auto makes one up from `prefix`
#   make    the bridge call that makes the object, a list; its value is the object id
#   Result  the full name of the command
#   Level   FullName looks for a namespace at level 3 from here
proc ::kafkatcl::Create {kind name prefix make} {
    if {$name eq "#auto"} {
        set name [Unwrap [bridge::auto_name $prefix]]
    }
    set full [FullName $name 4]
    return [MakeCommand $kind [Unwrap [{*}$make]] $full]
}

# The subcommand `help` of all objects.  No error lists it, as the original does not
# have it.
#   Level  1 is the object command, whose first word is the name that help shows
proc ::kafkatcl::Help {kind words} {
    set name [lindex [info level -1] 0]
    if {[llength $words] > 1} {
        return -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"$name help ?subcommand?\""
    }
    return [help::Text $kind [lindex $words 0] $name]
}

# The full name of a command that is to be made.  An unqualified name is global; a
# relative one belongs to the namespace of whoever called the object command.
#   level  how many levels up from here that is; three more are added behind `creator`
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

# Make the command of an object.  A command of this name is replaced; if that stands for
# an object, the object is deleted.  Namespaces of the name are made.
#   name    a full name
#   Result  the name
proc ::kafkatcl::MakeCommand {kind id name} {
    variable commandOf
    if {[namespace qualifiers $name] ne ""} {
        namespace eval [namespace qualifiers $name] {}
    }
    if {[namespace which -command $name] ne ""} {
        rename $name {}
    }
    MakeProcedure $kind $id $name
    set commandOf($id) $name
    trace add command $name {rename delete} [list ::kafkatcl::Changed $kind $id]
    return $name
}

# Make the procedure that is the command of an object, or stands behind a command in C
# that calls it for all that is unusual.
proc ::kafkatcl::MakeProcedure {kind id name} {
    variable fronts
    if {$kind in $fronts} {
        set procedure ::kafkatcl::behind::$id
        proc $procedure [Parameters $kind] [Body $kind $id]
        if {[up Front $kind $id $name $procedure]} {
            return
        }
        rename $procedure {}
    }
    proc $name [Parameters $kind] [Body $kind $id]
}

# The trace on the command of an object.  After `rename` the object is known under the
# new name; when the command is deleted, so is the object, by ::kafkatcl::KIND::Deleted.
proc ::kafkatcl::Changed {kind id old new operation} {
    variable commandOf
    if {$operation eq "rename"} {
        set commandOf($id) $new
        return
    }
    unset -nocomplain commandOf($id)
    ::kafkatcl::${kind}::Deleted $id
    if {[info commands ::kafkatcl::behind::$id] ne ""} {
        rename ::kafkatcl::behind::$id {}
    }
}

# Delete the command of an object, and with it the object, if it still has one.
proc ::kafkatcl::DeleteCommand {id} {
    variable commandOf
    if {[info exists commandOf($id)]} {
        rename $commandOf($id) {}
    }
}

# Release the object behind a command that is gone.  Messages whose callback has run
# count as consumed, what was read ahead is requeued, and the callbacks of the
# partitions that the object fetched are forgotten.
proc ::kafkatcl::Release {id} {
    Requeue
    events::Acknowledge
    events::DropStopped [Unwrap [bridge::delete $id]]
    ahead::DropObject $id
}
