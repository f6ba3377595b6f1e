# messages.tcl --
#
#   Something to read for the examples that consume: an embedded broker is empty when
#   the script begins, so three messages are put into the topic.  With a broker that
#   lasts nothing is done here; run producer.tcl before.

proc prepare {topic} {
    if {![info exists ::env(KAFKATCL_EMBEDDED)]} {
        return
    }
    kafka::topic_producer preparing $topic
    preparing produce_batch 0 {{departed DAL201} {arrived UAL17} {diverted SWA3}}
    while {[kafka::producer output_queue_length] > 0} {
        kafka::producer poll 100
    }
}
