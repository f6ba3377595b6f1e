# pkgIndex.tcl --
#
#   The package kafka for interpreters that Python does not host.  In those that it does, such as those of
#   kafkatclsh, the package is there already.

if {![package vsatisfies [package provide Tcl] 8.6-]} {
    return
}
if {[namespace which -command ::kafkatcl::load] eq ""} {
    package ifneeded kafka 2.5 {
        return -code error -errorcode {KAFKA NOT HOSTED} \
            "package kafka cannot be loaded into this interpreter yet: run the script with kafkatclsh"
    }
}
