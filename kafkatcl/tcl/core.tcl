# core.tcl --
#
#   Tcl's own commands under names that a script cannot take away.  Scripts rename
#   `after` or `puts` and put something of their own in the place, and what they put
#   there must not get what is meant for Tcl.  A link made by `namespace import` stays
#   with the command it was made for, and is compiled as well as that; only ensembles
#   are not, so where every step counts their parts are called by name:
#   ::tcl::clock::milliseconds.

namespace eval ::kafkatcl {}

if {![namespace exists ::kafkatcl::core]} {
    namespace eval ::kafkatcl::core {
        variable names {
            after append apply array binary break catch chan clock close concat continue dict encoding eof error eval
            expr fconfigure fileevent file for foreach format global if incr info interp join lappend lassign lindex
            list llength lmap lrange lreplace lreverse lsearch lset lsort namespace open package pid proc puts read
            regexp regsub rename return scan set source split string subst switch tailcall time trace unset update uplevel
            upvar variable vwait while yield
        }
    }
    # What the script exports from the global namespace itself stays as it is.  Without
    # `auto_import`, which would have all of the auto_path read.
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

# Have a namespace and those in it find Tcl's own commands here first.
proc ::kafkatcl::core::Use {namespace} {
    if {$namespace eq "::kafkatcl::core"} {
        return
    }
    namespace eval $namespace {namespace path ::kafkatcl::core}
    foreach child [namespace children $namespace] {
        Use $child
    }
}

# A script for a namespace that may have commands of its own: `::set` and its like mean
# those here.
proc ::kafkatcl::core::Named {script} {
    return [regsub -all {(^|[\[\{;\n])(\s*)::([a-z]+)(?=\s)} $script {\1\2::kafkatcl::core::\3}]
}
