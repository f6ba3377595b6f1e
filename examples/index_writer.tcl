# An Itcl class with methods as callbacks: it keeps, in a second topic, an index of
# where the messages of the first are.
#
#   kafkatclsh index_writer.tcl ?topic? ?brokers?

package require Itcl
package require kafka

lassign [list {*}$argv {*}[lrange {test 127.0.0.1} $argc end]] topicName brokers
source [file join [file dirname [info script]] messages.tcl]
prepare $topicName

itcl::class IndexWriter {
    private variable master
    private variable producer
    private variable consumer
    private variable writer
    private variable reader
    private variable offsetOf ;# key -> offset of the last message with it that is in the index
    private variable indexed 0

    constructor {topic brokers} {
        array set offsetOf {}
        set master [kafka::kafka create #auto]
        $master add_brokers $brokers
        # Before the producer is made: a handle is told then which callbacks are wanted.
        $master delivery_report_callback [itcl::code $this delivered]
        set producer [$master producer_creator #auto]
        set consumer [$master consumer_creator #auto]
        set writer [$producer new_topic #auto $topic-index]
        set reader [$consumer new_topic #auto $topic]
        $reader start 0 beginning [itcl::code $this arrived]
    }

    destructor {
        foreach object [list $reader $writer $consumer $producer $master] {
            $object delete
        }
    }

    # Let the event loop run until so many messages are in the index.
    public method await {count} {
        while {$indexed < $count} {
            vwait [itcl::scope indexed]
        }
    }

    public method find {key} {
        return $offsetOf($key)
    }

    private method arrived {message} {
        $writer produce 0 [dict get $message offset] [dict get $message key]
    }

    private method delivered {report} {
        set offsetOf([dict get $report key]) [dict get $report payload]
        incr indexed
    }
}

IndexWriter flights $topicName $brokers
flights await 3
foreach key {DAL201 UAL17 SWA3} {
    puts "$key is at offset [flights find $key]"
}
itcl::delete object flights
