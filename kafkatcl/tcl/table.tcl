# table.tcl --
#
#   The table of subcommands.  A row says how a subcommand is used, and what for; from
#   the rows of commands.tcl come the procedures, the errors about words, help, and the
#   usage in docs/reference.md.
#
#   A usage is what `wrong # args` shows.  Of its words, `word` is required, `?word?`
#   may be left out, `?word ...?` may come any number of times (`?name value ...?` in
#   twos), `?-name?` and `?-name word?` are options, `a|b` is one of these, and a list
#   such as `{topic partition}` is one word.  Options stand where the usage has them: in
#   front of all words, or, each with a word, behind so many required ones.
#
#   The fields of a row:
#     about       a sentence for help
#     errors      names of Kafka's errors that are to be expected, without
#                 RD_KAFKA_RESP_ERR
#     call        the bridge call that does it, with the words as they are
#     properties  1 if the words are properties and their values, for the call and in
#                 what it answers
#     waits       1 if it may wait for the cluster, `messages` if for messages: it takes
#                 -command, which the usage need not name, see background.tcl and
#                 arrivals.tcl
#     returns     `nothing` if the result is empty whatever the call answers
#     before      what is done before: Requeue or Acknowledge, see ahead.tcl
#     choices     the words of an a|b in the order of the original's errors
#     count       the least and the greatest number of words, where the usage does not
#                 tell
#     spare       options are only taken while more words follow than these
#     options     options behind all words, each with a word, that the original has not:
#                 `wrong # args` does not show them, help and docs do
#     default     values of options that are not given
#     suboptions  the first word names a row of its own, `info topics`
#     since       the version that brought it; the original has none, so errors do not
#                 list it
#     also        another usage, which an error tells
#     like        a kind, or a kind and a subcommand, whose row and procedure this is
#                 but for the fields given here

namespace eval ::kafkatcl {
    variable order {}       ;# the kinds, as they were declared
    variable kinds          ;# kind -> its subcommands, the original's in the order of its errors
    variable aboutKind      ;# kind -> a sentence about its objects
    variable rows           ;# kind,subcommand -> a dict: the fields of its row, and its usage
    variable rowsOf         ;# kind -> the subcommands of its rows, {info topics} and its like among them
    variable bodies         ;# kind,subcommand -> the code behind the checks
    variable defined        ;# kind -> 1 once there are its procedures
    foreach name {kinds aboutKind rows rowsOf bodies defined} {
        array set $name {}
    }
    unset name
}

# Begin the rows of a kind of object, and make its namespace ::kafkatcl::KIND.
#   kind   its name, as in kafka::help and in the names of procedures
#   about  a sentence about its objects, for help
proc ::kafkatcl::Kind {kind about} {
    variable order
    variable kinds
    variable rowsOf
    variable aboutKind
    lappend order $kind
    set kinds($kind) {}
    set rowsOf($kind) {}
    set aboutKind($kind) $about
    namespace eval ::kafkatcl::$kind {}
}

# Add a row to a kind that has begun.
#   subcommand  one word, or two for a suboption: the subcommand that has suboptions,
#               and one of them
#   usage       as the head of this file says; of no account where the fields have
#               `like`
#   fields      names and values, as the head of this file says
proc ::kafkatcl::Row {kind subcommand usage {fields {}}} {
    variable kinds
    variable rows
    variable rowsOf
    lappend rowsOf($kind) $subcommand
    if {[llength $subcommand] == 1} {
        lappend kinds($kind) $subcommand
    }
    if {![dict exists $fields like]} {
        set rows($kind,$subcommand) [dict replace $fields usage $usage]
        return
    }
    lassign [dict get $fields like] other name
    if {$name eq ""} {
        set name $subcommand
    }
    set rows($kind,$subcommand) [dict merge $rows($other,$name) $fields [dict create like $other,$name]]
}

# The rows that a subcommand has.
#   Result  a list of keys of rows: the subcommand itself, and two words for each
#           suboption
proc ::kafkatcl::WithSuboptions {kind subcommand} {
    return [concat [list $subcommand] [lmap suboption [Field $kind $subcommand suboptions] {list $subcommand $suboption}]]
}

# The words of which a subcommand takes one first.
#   Result  suboptions and choices in the order of errors; empty if the first word may
#           be anything
proc ::kafkatcl::ChoicesOf {kind subcommand} {
    set choices [concat [Field $kind $subcommand suboptions] [Field $kind $subcommand choices]]
    return [expr {[llength $choices] ? $choices : [lindex [ParseUsage [Field $kind $subcommand usage]] 4]}]
}

# Say what a subcommand does behind the checks of its row, where the row has no `call`.
# The code becomes the end of a procedure, which is called by the object command.
#   subcommand  one word, or two for a suboption
#   body        the code.  It finds the object id in `id`, the words behind the
#               subcommand and its options in `words`, and in variables of their own
#               each word that the usage names and each option: `timeout` for
#               `-timeout`, 1 or 0 for an option without a word.  Where options stand
#               behind words, `given` has those that were given, and their words.
#               `command` is the prefix of -command, or empty, where the row has `waits`.
proc ::kafkatcl::Implement {kind subcommand body} {
    variable bodies
    set bodies($kind,$subcommand) $body
}

# The name of the procedure of a subcommand: ::kafkatcl::KIND::SUBCOMMAND, or
# ::kafkatcl::KIND::SUBCOMMAND.SUBOPTION.  A dot is behind it if it would else hide a
# command of Tcl from the code of the kind, as `foreach.` would.
proc ::kafkatcl::Procedure {kind subcommand} {
    set dot [expr {$subcommand in $::kafkatcl::core::names ? "." : ""}]
    return ::kafkatcl::${kind}::[join $subcommand .]$dot
}

# Have the procedures of a kind made, unless that was done; see Procedure.  Each is made
# when it is first called, as a script uses few of them.
proc ::kafkatcl::Define {kind} {
    variable rowsOf
    variable defined
    if {[info exists defined($kind)]} {
        return
    }
    set defined($kind) 1
    foreach subcommand $rowsOf($kind) {
        set procedure [Procedure $kind $subcommand]
        proc $procedure {id words} \
            "::kafkatcl::DefineSubcommand $kind [list $subcommand]; tailcall $procedure \$id \$words"
    }
}

# Make the procedure of a subcommand.  It takes the object id and the list of words, and
# does the checks of its row and then its code.
proc ::kafkatcl::DefineSubcommand {kind subcommand} {
    proc [Procedure $kind $subcommand] {id words} "[Checks $kind $subcommand][CodeOf $kind $subcommand]"
}

# The code of a subcommand behind its checks: from `suboptions`, from `call`, or given
# to Implement.
proc ::kafkatcl::CodeOf {kind subcommand} {
    variable bodies
    if {[Field $kind $subcommand suboptions] ne ""} {
        return [format {
            set suboption [lindex $words 0]
            ::kafkatcl::RequireSuboption $suboption {%s} {%s}
            tailcall ::kafkatcl::%s::%s.$suboption $id [list {*}$taken {*}[lrange $words 1 end]]
        } [Field $kind $subcommand suboptions] [Original $kind $subcommand] $kind $subcommand]
    }
    set call [Field $kind $subcommand call]
    if {$call eq ""} {
        set like [Field $kind $subcommand like]
        return $bodies([expr {$like eq "" ? "$kind,$subcommand" : $like}])
    }
    if {[Field $kind $subcommand properties] eq 1} {
        return "return \[::kafkatcl::secrets::Shown \[::kafkatcl::bridge::$call \$id {*}\[::kafkatcl::secrets::Given \$words\]\]\]"
    }
    if {[Field $kind $subcommand waits] eq 1} {
        return "return \[::kafkatcl::Ask \$command $call \$id {*}\$words\]"
    }
    set result "\[::kafkatcl::Unwrap \[::kafkatcl::bridge::$call \$id {*}\$words\]\]"
    return [expr {[Field $kind $subcommand returns] eq "nothing" ? "set result $result; return" : "return $result"}]
}

# The suboptions of a subcommand that the original has: errors list no others.
proc ::kafkatcl::Original {kind subcommand} {
    return [lmap suboption [Field $kind $subcommand suboptions] {
        if {[Field $kind [list $subcommand $suboption] since] ne ""} {
            continue
        }
        set suboption
    }]
}

# The value of a field of a row.
#   subcommand  the key of the row, one word or two
#   field       a name that the head of this file lists, or `usage`
#   Result      empty if the row has no such field
proc ::kafkatcl::Field {kind subcommand field} {
    variable rows
    return [expr {[dict exists $rows($kind,$subcommand) $field] ? [dict get $rows($kind,$subcommand) $field] : {}}]
}

# The code that checks the words of a call, and gives them names.
proc ::kafkatcl::Checks {kind subcommand} {
    lassign [ParseUsage [UsageOf $kind $subcommand]] required optional repeated options choices lead
    set wrong "::kafkatcl::Usage [list [Shown $kind $subcommand]]"
    set code {}
    if {[Field $kind $subcommand suboptions] ne ""} {
        append code "set taken \[::kafkatcl::TakeCommand\]\n"
    } elseif {$lead > 0} {
        set places "$lead [llength $optional] [expr {[llength $required] - $lead}]"
        append code [PairsCode $kind $subcommand $options $places $wrong]
    } else {
        append code [OptionsCode $kind $subcommand $options $wrong]
    }
    set count "if {[CountTest $kind $subcommand $required $optional $repeated]} {$wrong}\n"
    set refuse {}
    if {[dict size $options] && $lead == 0 && [Field $kind $subcommand spare] eq ""} {
        set refuse "::kafkatcl::RefuseOption \$words [list [dict keys $options]]\n"
    }
    # Where there can be nothing but options, a word too many is a bad one.
    append code [expr {[llength $required$optional$repeated] ? "$count$refuse" : "$refuse$count"}]
    if {[llength $choices]} {
        append code "::kafkatcl::RequireSuboption \[lindex \$words 0\] {[ChoicesOf $kind $subcommand]}\n"
    } elseif {[llength $repeated] == 0 && [llength $required] + [llength $optional]} {
        append code "lassign \$words $required $optional\n"
    }
    if {[Field $kind $subcommand waits] eq "messages"} {
        append code "if {\$command ne {}} {return \[::kafkatcl::arrivals::Ask \$command \$id $kind $subcommand \$words\]}\n"
    }
    set before [Field $kind $subcommand before]
    if {$before ne ""} {
        append code "::kafkatcl::$before\n"
    }
    return $code
}

# What `wrong # args` shows behind the name of the object.
#   Result  the subcommand and its usage; as in the original, a blank stands behind what
#           takes no words
proc ::kafkatcl::Shown {kind subcommand} {
    return "$subcommand [Field $kind $subcommand usage]"
}

# The usage of a row with the options that the original has not, as help shows it.
proc ::kafkatcl::UsageOf {kind subcommand} {
    return [string trim "[Field $kind $subcommand usage] [Field $kind $subcommand options]"]
}

# The code that sets the variables of options to their defaults, and takes those in
# front of all words.
#   options  names with their dash, and the word each takes, or an empty one
#   wrong    the code for a wrong number of words
proc ::kafkatcl::OptionsCode {kind subcommand options wrong} {
    set code {}
    if {[dict size $options] == 0 && [Field $kind $subcommand waits] eq "messages"} {
        # Each call looks, so it looks in few steps.
        return "set command {}
            if {{-command} in \$words} {
                set command \[lindex \[::kafkatcl::TakeCommand\] 1\]
                if {!\[::kafkatcl::TakeOptions {-command prefix} 0\]} {$wrong}
            }\n"
    }
    if {[Field $kind $subcommand waits] ne ""} {
        dict set options -command prefix
        append code "set command \[lindex \[::kafkatcl::TakeCommand\] 1\]\n"
    }
    if {[dict size $options] == 0} {
        return
    }
    set spare [Field $kind $subcommand spare]
    append code [DefaultsCode $kind $subcommand [dict remove $options -command]]
    append code "if {!\[::kafkatcl::TakeOptions [list $options] [expr {$spare eq {} ? 0 : $spare}]\]} {$wrong}\n"
    return $code
}

# The same for options behind required words.
#   places  how many words are required in front of the options, how many more may be
#           there, and how many are required behind the options
proc ::kafkatcl::PairsCode {kind subcommand options places wrong} {
    set code [DefaultsCode $kind $subcommand $options]
    if {[Field $kind $subcommand waits] eq 1} {
        dict set options -command prefix
        append code "set command \[lindex \[::kafkatcl::TakeCommand\] 1\]\n"
    }
    return "${code}if {!\[::kafkatcl::TakePairs [list $options] $places\]} {$wrong}\n"
}

# The code that sets the variables of options to their defaults.
proc ::kafkatcl::DefaultsCode {kind subcommand options} {
    set code {}
    set default [Field $kind $subcommand default]
    dict for {option word} $options {
        set value [expr {$word eq "" ? 0 : [dict exists $default $option] ? [dict get $default $option] : {}}]
        append code "set [string range $option 1 end] [list $value]\n"
    }
    return $code
}

# Take options off the front of the words, into variables named like them without the
# dash.
#   options  names with their dash, and the word each takes, or an empty one
#   spare    how many words must be left; an option is not taken from among them
#   Result   1, or 0 if the last option has no value
#   Level    1: `words` gets shorter, the variables are set
proc ::kafkatcl::TakeOptions {options spare} {
    upvar 1 words words
    while {[llength $words] > $spare && [dict exists $options [lindex $words 0]]} {
        set words [lassign $words option]
        upvar 1 [string range $option 1 end] value
        if {[dict get $options $option] eq ""} {
            set value 1
        } elseif {[llength $words] == 0} {
            return 0
        } else {
            set words [lassign $words value]
        }
    }
    return 1
}

# Take options, each with a word, from behind required words, into variables named like
# them without the dash.
#   options   names with their dash, and the word each takes
#   lead      how many words are required in front of the options
#   optional  how many more may be there: one is, if an odd number of words follows
#   trail     how many words are required behind the options
#   Result    0 if the number of words cannot be, or where an option should stand is none
#   Errors    TCL LOOKUP INDEX option WORD, raised by the caller
#   Level     1: `words` gets shorter, the variables are set, and `given` to the pairs
proc ::kafkatcl::TakePairs {options lead optional trail} {
    upvar 1 words words given pairs
    set count [expr {[llength $words] - $lead - $trail}]
    set first [expr {$lead + ($count % 2 && $optional)}]
    set pairs [lrange $words $first end-$trail]
    if {$count < 0 || [llength $pairs] % 2} {
        return 0
    }
    foreach {option value} $pairs {
        if {[dict exists $options $option]} {
            upvar 1 [string range $option 1 end] taken
            set taken $value
        } elseif {[string match -* $option]} {
            return -level 2 {*}[BadOption $option [dict keys $options]]
        } else {
            return 0
        }
    }
    set words [lreplace $words $first end-$trail]
    return 1
}

# Take `-command prefix` off the words, where it stands before them, before or behind
# the suboption, or behind all.
#   Result  these two words, or empty
#   Level   1: `words` gets shorter
proc ::kafkatcl::TakeCommand {} {
    upvar 1 words words
    foreach {at next} {0 1 1 2 end-1 end} {
        if {[lindex $words $at] eq "-command" && [llength $words] > 2} {
            set taken [lrange $words $at $next]
            set words [lreplace $words $at $next]
            return $taken
        }
    }
}

# Refuse a first word that looks like an option.  A topic whose name begins with a dash
# comes with its partition, and so is a list of two.
#   options  those that there are
#   Errors   TCL LOOKUP INDEX option WORD, raised by the caller
proc ::kafkatcl::RefuseOption {words options} {
    set word [lindex $words 0]
    if {[string match -* $word] && [string is list $word] && [llength $word] == 1} {
        return -level 2 {*}[BadOption $word $options]
    }
}

# The words that make `return` raise the error of an option that there is not.
proc ::kafkatcl::BadOption {word options} {
    return [list -code error -errorcode [list TCL LOOKUP INDEX option $word] \
        "bad option \"$word\": must be [Choices $options]"]
}

# The expression that is true for too few words, or too many.
#   required  the names of such words
#   optional  the names of such words
#   repeated  the names of such words
proc ::kafkatcl::CountTest {kind subcommand required optional repeated} {
    set min [llength $required]
    set max [expr {$min + [llength $optional]}]
    if {[Field $kind $subcommand count] ne ""} {
        lassign [Field $kind $subcommand count] min max
    }
    set step [llength $repeated]
    if {$step == 1} {
        return "\[llength \$words\] < $min"
    } elseif {$step > 1} {
        return "\[llength \$words\] < $min || (\[llength \$words\] - $min) % $step"
    } elseif {$min == $max} {
        return "\[llength \$words\] != $min"
    }
    return "\[llength \$words\] < $min || \[llength \$words\] > $max"
}

# Take a usage apart.
#   usage   as the head of this file says
#   Result  a list of six: the names of required words, of optional ones, and of those
#           that repeat; options, each with the word that it takes or an empty one;
#           choices; and the number of required words in front of the options
proc ::kafkatcl::ParseUsage {usage} {
    set required {}
    set optional {}
    set repeated {}
    set options {}
    set choices {}
    set lead 0
    regsub -all {\{[^\}]*\}} $usage position usage
    set word {\?(-\w+)(?: ([^?]+))?\?|\?([\w ]+?)( ?\.\.\.)?\?|([^\s?]+)}
    foreach {all option value name more plain} [regexp -all -inline $word $usage] {
        if {$option ne ""} {
            if {[llength $options] == 0} {
                set lead [llength $required]
            }
            lappend options $option $value
        } elseif {$more ne ""} {
            set repeated $name
        } elseif {$name ne ""} {
            lappend optional $name
        } else {
            lappend required $plain
            if {[string match *|* $plain]} {
                set choices [split $plain |]
            }
        }
    }
    return [list $required $optional $repeated $options $choices $lead]
}
