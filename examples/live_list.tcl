# A window that shows the messages of a topic as they come; what is typed into its entry
# is produced.
#
#   wish live_list.tcl ?topic? ?brokers?          kafkatclsh runs it as well

package require Tk
package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1} $argc end]] topic brokers

wm title . "$topic at $brokers"
listbox .messages -width 60 -height 15 -yscrollcommand {.scroll set}
scrollbar .scroll -command {.messages yview}
entry .entry
pack .entry -side bottom -fill x
pack .scroll -side right -fill y
pack .messages -fill both -expand 1
focus .entry

# Called from Tk's own event loop.
proc arrived {message} {
    set text [dict get $message [expr {[dict exists $message error] ? "message" : "payload"}]]
    .messages insert end [encoding convertfrom utf-8 $text]
    .messages see end
}

# Return was pressed in the entry.
bind .entry <Return> {
    out produce 0 [encoding convertto utf-8 [.entry get]]
    .entry delete 0 end
}

kafka::brokers $brokers
kafka::topic_producer out $topic
kafka::topic_consumer in $topic
in start 0 beginning arrived
