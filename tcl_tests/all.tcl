# all.tcl --
#
#   Run the tests: kafkatclsh tcl_tests/all.tcl ?-file queue.test? ?-match queue-3.*?
#   ?-verbose pass? ... (the options of tcltest).  support.tcl tells how brokers are
#   named.  The exit status is 1 when a test failed.

package require Tcl 8.6-
package require tcltest 2.3

::tcltest::configure -testdir [file dirname [file normalize [info script]]] -singleproc 1 {*}$argv
source -encoding utf-8 [file join [::tcltest::testsDirectory] support.tcl]
exit [expr {[::tcltest::runAllTests] ? 1 : 0}]
