# Copy a file into a topic, a message for each line, and the topic into another file.
#
#   kafkatclsh channel_copy.tcl ?file? ?copy? ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange [list [info script] copy.txt lines 127.0.0.1] $argc end]] fileName copyName topic brokers

kafka::brokers $brokers
kafka::topic_producer out $topic
kafka::topic_consumer in $topic

# Bytes as they are, on both sides.
proc binary {channel} {
    fconfigure $channel -translation binary
    return $channel
}

set file [binary [open $fileName]]
set channel [binary [out channel]]
fcopy $file $channel
close $file
close $channel  ;# all is delivered now, or this fails

# What was just written: as many lines from the end as the file has.
set file [binary [open $fileName]]
set lines [llength [split [string trimright [read $file] \n] \n]]
close $file
set channel [binary [in channel -from -$lines -until end]]
set copy [binary [open $copyName w]]
puts "[fcopy $channel $copy] bytes in $lines lines"
close $copy
close $channel
