# quickstart.tcl --
#
#   A tour of KafkaTcl that needs no Kafka:   kafkatclsh --embedded quickstart.tcl
#   With a Kafka of yours:                    kafkatclsh quickstart.tcl ?topic? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {quickstart 127.0.0.1} $argc end]] topic brokers

proc step {text} {
    puts "\n[incr ::step]. $text"
}

proc show {message} {
    dict with message {
        puts "   $topic, partition $partition, offset $offset: $key is $payload"
    }
}

puts "KafkaTcl [package present kafka] with librdkafka [kafka::kafka version]"

step "Create a master object, and from it a producer and a consumer."
kafka::kafka create master
master add_brokers $brokers
master producer_creator producer
master consumer_creator consumer
puts "   [producer name] and [consumer name], speaking to [llength [producer info brokers]] broker(s)"

step "Produce messages with keys: singly, and a batch at once."
producer new_topic fruit $topic
fruit produce 0 red apple
fruit produce 0 yellow banana
fruit produce_batch 0 {{green lime} {orange peach} {purple plum}}
while {[producer output_queue_length] > 0} {
    producer poll 100
}
puts "   5 messages are delivered"

step "Consume them one by one, into an array ..."
consumer new_topic basket $topic
basket start 0 -5
foreach turn {1 2} {
    basket consume 0 10000 row
    show [array get row]
}

step "... or a batch, running code for each ..."
set count [basket consume_batch 0 10000 3 row {
    show [array get row]
}]
puts "   $count messages"

step "... or by a callback, from the event loop."
proc arrived {message} {
    show $message
    incr ::arrivals
}
set arrivals 0
basket stop 0
basket start 0 -5 arrived
while {$arrivals < 5} {
    vwait arrivals
}

step "Partitions, also of several topics, can share a queue."
producer new_topic nature $topic-nature
nature produce_batch 0 {{white snow} {blue sky} {black coal}}
while {[producer output_queue_length] > 0} {
    producer poll 100
}
consumer new_topic outside $topic-nature
set queue [consumer create_queue #auto]
basket stop 0
basket start_queue 0 -5 $queue
outside start_queue 0 -3 $queue
set colours {}
$queue consume_batch 10000 8 row {
    lappend colours $row(payload)
}
puts "   [llength $colours] messages of 2 topics: [lsort $colours]"

step "That was it. At the end of a script all that is open is flushed and closed."
