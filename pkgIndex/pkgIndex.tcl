# pkgIndex.tcl --
#
#   The package kafka for Tcl interpreters that Python does not host: have the folder of
#   this file in TCLLIBPATH or in auto_path.  In interpreters that it does host, such as
#   those of kafkatclsh, the package is there already.  The index that
#   `kafkatcl install-tcl` writes sources this one with `python` set, to the Python that
#   wrote it.

if {![package vsatisfies [package provide Tcl] 8.6-] || [namespace which -command ::kafkatcl::load] ne ""} {
    return
}
if {[interp issafe]} {
    # It would have to start a program, and cannot: its `open` and `exec` are hidden
    # (https://www.tcl-lang.org/man/tcl8.6/TclCmd/interp.htm).
    set script {error "package kafka cannot be loaded into a safe interpreter: alias commands of its parent into it" \
        {} {KAFKA SAFE}}
} else {
    # Above this folder, also by way of a symbolic link: `file normalize` follows all
    # but one that comes last (https://www.tcl-lang.org/man/tcl8.6/TclCmd/file.htm).
    set library [file join {*}[lrange [file split [file normalize [file join $dir pkgIndex.tcl x]]] 0 end-3]]
    # The sources are beside this folder in a package that was installed, in the package
    # beside it in a checkout.
    foreach library [list [file join $library tcl] [file join $library kafkatcl tcl]] {
        if {[file exists [file join $library sidecar.tcl]]} {
            break
        }
    }
    set script "[list source -encoding utf-8 [file join $library sidecar.tcl]]; ::kafkatcl::load"
    if {[info exists python]} {
        set script "namespace eval ::kafkatcl [list [list variable python $python]]; $script"
    }
}
# A script that asks for version 1 gets the same commands.
foreach version {2.5 1.9} {
    package ifneeded kafka $version "$script; package provide kafka $version"
}
unset -nocomplain script library version
