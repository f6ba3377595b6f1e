# answers.tcl --
#
#   Answers: how a bridge call, which cannot raise a Tcl error, tells its result or its
#   error; see kafkatcl/bridge/answers.py.  The commands that a Python program defines
#   answer in the same form, also in interpreters without the package.

namespace eval ::kafkatcl {}

# Turn an answer into the result of a command, or into its error.
#   answer  empty, `0 value`, or `1 message errorCode ?errorInfo?`
#   Result  the value; empty if the answer is empty
#   Errors  the message and errorCode of the answer; errorInfo begins with its fourth
#           element, unless that is empty
proc ::kafkatcl::Unwrap {answer} {
    lassign $answer status value code
    if {$status eq 1} {
        return -code error -errorcode $code -errorinfo [lindex $answer 3] $value
    }
    return $value
}
