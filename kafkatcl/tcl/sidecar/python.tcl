# python.tcl --
#
#   Which Python the sidecar runs with.

# The command of the Python that the sidecar runs with: what KAFKATCL_PYTHON names, else
# the first of the candidates that is there.
#   Result  a list
#   Errors  KAFKA SIDECAR PYTHON
proc ::kafkatcl::sidecar::Python {} {
    if {[IsNamed]} {
        return [list $::env(KAFKATCL_PYTHON)]
    }
    foreach candidate [Candidates] {
        if {[file executable $candidate] && ![file isdirectory $candidate]} {
            return [list $candidate]
        }
    }
    return -code error -errorcode {KAFKA SIDECAR PYTHON} "there is no python3 on PATH: [Advice]"
}

# Whether KAFKATCL_PYTHON names a Python.
proc ::kafkatcl::sidecar::IsNamed {} {
    return [expr {[info exists ::env(KAFKATCL_PYTHON)] && $::env(KAFKATCL_PYTHON) ne ""}]
}

# Where a Python may be: the one that installation recorded, that of the environment or
# of the checkout that the package lies in, those on PATH.
proc ::kafkatcl::sidecar::Candidates {} {
    set candidates {}
    if {[info exists ::kafkatcl::python]} {
        lappend candidates $::kafkatcl::python
    }
    set names python3
    # ENVIRONMENT/lib/python3.X/site-packages/kafkatcl/tcl, or CHECKOUT/kafkatcl/tcl
    set folders [file split $::kafkatcl::library]
    if {[lindex $folders end-2] in {site-packages dist-packages}} {
        if {[regexp {^python3\.\d+$} [lindex $folders end-3] name]} {
            # The environment may have no Python of its own, as that of
            # `pip install --user`: then its version counts.
            set names [list $name python3]
        }
        foreach name $names {
            lappend candidates [file join {*}[lrange $folders 0 end-5] bin $name]
        }
    }
    lappend candidates [file join {*}[lrange $folders 0 end-2] .venv bin python3]
    if {[info exists ::env(PATH)]} {
        foreach name $names {
            foreach folder [split $::env(PATH) $::tcl_platform(pathSeparator)] {
                lappend candidates [file join $folder $name]
            }
        }
    }
    return $candidates
}

# What to do when there is none, or not the right one: a sentence.
proc ::kafkatcl::sidecar::Advice {} {
    set needed "package kafka needs Python 3.9 or newer with the Python package confluent-kafka"
    set right "the Python of the environment that kafkatcl was installed in"
    if {[IsNamed]} {
        return "$needed; the environment variable KAFKATCL_PYTHON names another: set it to $right, or unset it"
    }
    return "$needed; set the environment variable KAFKATCL_PYTHON to $right"
}

# The Python that was started cannot do it: close the pipe.
#   reason  the sidecar's words
#   Errors  KAFKA SIDECAR PYTHON, raised by the caller
proc ::kafkatcl::sidecar::Refused {reason} {
    Close
    return -level 2 -code error -errorcode {KAFKA SIDECAR PYTHON} "$reason: [Advice]"
}
