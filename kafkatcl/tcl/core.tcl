# core.tcl --
#
#   Tcl's own commands under names that stay with them when a script renames `after` or
#   `puts` and puts something of its own in the place, which must not get what is meant
#   for Tcl.  A link made by `namespace import` follows the command that it was made
#   for, and is compiled like it (DoImport in
#   https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclNamesp.c).
#   Only ensembles are not, so where every step counts their parts are called by name:
#   ::tcl::clock::milliseconds.
#
#   The link does not help against a script that defines such a command anew without
#   renaming the old one: Tcl then leads the link to the new one, and deletes the link
#   with the command (TclCreateObjCommandInNs, Tcl_DeleteCommandFromToken in
#   https://github.com/tcltk/tcl/blob/core-8-6-13/generic/tclBasic.c).

namespace eval ::kafkatcl {}

if {![namespace exists ::kafkatcl::core]} {
    namespace eval ::kafkatcl::core {
        # the commands that have such a name
        variable names {
            after append apply array binary break catch chan clock close concat continue dict encoding eof error eval
            expr fconfigure fileevent file for foreach format global if incr info interp join lappend lassign lindex
            list llength lmap lrange lreplace lreverse lsearch lset lsort namespace open package pid proc puts read
            regexp regsub rename return scan set source split string subst switch tailcall time trace unset update uplevel
            upvar variable vwait while yield
        }
    }
    # What the script exports from the global namespace itself stays as it is.
    # `namespace import` calls `auto_import`, which would read the indices of the whole
    # auto_path: https://www.tcl-lang.org/man/tcl8.6/TclCmd/library.htm
    apply {{} {
        set exported [namespace eval :: {namespace export}]
        namespace eval :: [list namespace export -clear {*}$::kafkatcl::core::names]
        catch {rename ::auto_import ::kafkatcl::core::auto_import}
        namespace eval ::kafkatcl::core [list namespace import {*}[lmap name $::kafkatcl::core::names {
            string cat :: $name
        }]]
        catch {rename ::kafkatcl::core::auto_import ::auto_import}
        namespace eval :: [list namespace export -clear {*}$exported]
    }}
}

# Have a namespace and all below it find Tcl's own commands here first, by its
# `namespace path`.
#   namespace  its full name
proc ::kafkatcl::core::Use {namespace} {
    if {$namespace eq "::kafkatcl::core"} {
        return
    }
    namespace eval $namespace {namespace path ::kafkatcl::core}
    foreach child [namespace children $namespace] {
        Use $child
    }
}

# Make a script fit for a namespace that may have commands of its own: `::set` and its
# like, where a command begins, become the names of the commands here.
#   script  commands with a leading `::`, lower-case letters only
#   Result  the script with `::kafkatcl::core::set` and its like
proc ::kafkatcl::core::Named {script} {
    # Parts of the match are not asked for: Tcl takes twenty times as long to find them.
    return [regsub -all {(?:^|[\[\{;\n])\s*::(?=[a-z]+\s)} $script {&kafkatcl::core::}]
}
