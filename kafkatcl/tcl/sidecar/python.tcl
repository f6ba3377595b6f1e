# python.tcl --
#
#   Which Python the sidecar runs with.

# The command of the first Python there is: the one that KAFKATCL_PYTHON names, the one that installation recorded, the
# one that the package belongs to, or python3.
proc ::kafkatcl::sidecar::Python {} {
    if {[info exists ::env(KAFKATCL_PYTHON)] && $::env(KAFKATCL_PYTHON) ne ""} {
        return [list $::env(KAFKATCL_PYTHON)]
    }
    set candidates {}
    if {[info exists ::kafkatcl::python]} {
        lappend candidates $::kafkatcl::python
    }
    # Up from ENVIRONMENT/lib/python3.X/site-packages/kafkatcl/tcl, and from a checkout with its own environment.
    lappend candidates [file join {*}[lrange [file split $::kafkatcl::library] 0 end-5] bin python3] \
        [file join {*}[lrange [file split $::kafkatcl::library] 0 end-2] .venv bin python3]
    foreach candidate $candidates {
        if {[file executable $candidate]} {
            return [list $candidate]
        }
    }
    return python3
}

# What to do when it cannot be run.
proc ::kafkatcl::sidecar::Advice {} {
    return "package kafka needs Python 3.9 or newer with the Python package confluent-kafka;\
        set the environment variable KAFKATCL_PYTHON to such a Python, of the environment that kafkatcl was\
        installed in"
}

# The Python that was started cannot do it.
proc ::kafkatcl::sidecar::Refused {reason} {
    Close
    return -level 2 -code error -errorcode {KAFKA SIDECAR PYTHON} "$reason: [Advice]"
}
