# paths.tcl --
#
#   Run by `kafkatcl install-tcl` in the Tcl shell of the user, whatever its version:
#   print its version and the folders of its auto_path, each followed by a NUL; first
#   the folders that packages are meant to be installed in.

if {![info exists tcl_pkgPath]} {
    set tcl_pkgPath {}
}
fconfigure stdout -translation lf
puts -nonewline [info patchlevel]\0
foreach folder [concat $tcl_pkgPath $auto_path] {
    if {[lsearch -exact $auto_path $folder] >= 0} {
        puts -nonewline [file normalize $folder]\0
    }
}
exit
