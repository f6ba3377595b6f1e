# help.tcl --
#
#   Help for whoever types: the rows of commands.tcl as text.

# What a script asks by `kafka::help`: the kinds, the subcommands of one, or all about a
# subcommand.
#   Errors  TCL LOOKUP INDEX kind KIND, TCL LOOKUP INDEX option SUBCOMMAND
::kafkatcl::LateCommand ::kafka::help {{kind {}} {subcommand {}}} {
    if {$kind eq ""} {
        return [::kafkatcl::help::Kinds]
    }
    if {![info exists ::kafkatcl::kinds($kind)]} {
        return -code error -errorcode [list TCL LOOKUP INDEX kind $kind] \
            "bad kind \"$kind\": must be [::kafkatcl::Choices $::kafkatcl::order]"
    }
    return [::kafkatcl::help::Text $kind $subcommand $kind]
}

namespace eval ::kafkatcl::help {}

# The kinds, a line for each.
proc ::kafkatcl::help::Kinds {} {
    variable ::kafkatcl::aboutKind
    set lines {"kafka::help KIND tells what objects of a kind can do, and so does their subcommand help:"}
    foreach kind $::kafkatcl::order {
        lappend lines [format "    %-18s%s" $kind $aboutKind($kind)]
    }
    return [join $lines \n]
}

# What there is to tell of a kind, or of one of its subcommands.
#   subcommand  empty for the kind
#   name        the object as the usage shows it
#   Errors      TCL LOOKUP INDEX option SUBCOMMAND
proc ::kafkatcl::help::Text {kind subcommand name} {
    variable ::kafkatcl::aboutKind
    variable ::kafkatcl::kinds
    if {$subcommand eq ""} {
        return [join [concat [list $aboutKind($kind)] [lmap row $kinds($kind) {Short $kind $row $name}]] \n]
    }
    if {$subcommand ni $kinds($kind)} {
        return -code error -errorcode [list TCL LOOKUP INDEX option $subcommand] \
            "bad option \"$subcommand\": must be [::kafkatcl::Choices $kinds($kind)]"
    }
    return [join [lmap row [::kafkatcl::WithSuboptions $kind $subcommand] {Long $kind $row $name}] \n]
}

# A row in the list of a kind: its usage, and what it is for.
proc ::kafkatcl::help::Short {kind row name} {
    return "    [Usage $kind $row $name]\n        [::kafkatcl::Field $kind $row about]"
}

# A row by itself: also the errors that are to be expected.
proc ::kafkatcl::help::Long {kind row name} {
    set lines [list [Usage $kind $row $name] "    [::kafkatcl::Field $kind $row about]"]
    if {[::kafkatcl::Field $kind $row errors] ne ""} {
        lappend lines "    errors: [join [lmap error [::kafkatcl::Field $kind $row errors] {
            string cat RD_KAFKA_RESP_ERR_ $error
        }] {, }]"
    }
    return [join $lines \n]
}

# How a subcommand is used.  The procedures of the easy way belong to no object.
proc ::kafkatcl::help::Usage {kind row name} {
    set usage [string trimright "$row [::kafkatcl::UsageOf $kind $row]"]
    return [expr {$kind eq "easy" ? $usage : "$name $usage"}]
}
