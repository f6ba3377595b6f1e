# answers.tcl --
#
#   What a bridge call answers, as a command's result: see kafkatcl/bridge/answers.py.
#   The commands that a Python program defines answer in the same form, also in
#   interpreters without the package.

namespace eval ::kafkatcl {}

# Turn an answer into its value, or into an error.
proc ::kafkatcl::Unwrap {answer} {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code -errorinfo [lindex $answer 3] $value
    }
    return $value
}
