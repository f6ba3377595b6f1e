# pkgIndex.tcl --
#
#   The package kafka for Tcl interpreters that Python does not host: have the folder of this file in TCLLIBPATH or in
#   auto_path.  In interpreters that it does host, such as those of kafkatclsh, the package is there already.

if {![package vsatisfies [package provide Tcl] 8.6-] || [namespace which -command ::kafkatcl::load] ne ""} {
    return
}
if {[interp issafe]} {
    # It would have to start a program.
    set script {return -code error -errorcode {KAFKA SAFE} \
        "package kafka cannot be loaded into a safe interpreter: alias commands of its parent into it"}
} else {
    # Where the sources are: beside this folder in a package that was installed, in the package beside it otherwise.
    set library [file join [file dirname [file normalize $dir]] tcl]
    if {![file exists [file join $library sidecar.tcl]]} {
        set library [file join [file dirname [file normalize $dir]] kafkatcl tcl]
    }
    set script "[list source -encoding utf-8 [file join $library sidecar.tcl]]; ::kafkatcl::load"
}
# A script that asks for version 1 gets the same commands.
foreach version {2.5 1.9} {
    package ifneeded kafka $version "$script; package provide kafka $version"
}
unset -nocomplain script library version
