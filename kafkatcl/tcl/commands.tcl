# commands.tcl --
#
#   Every subcommand of every kind of object, in the order of the original's errors; see
#   table.tcl for what a row is.  The code of rows without `call` is given to Implement
#   in master.tcl, handle.tcl, topic.tcl, subscriber.tcl and share_subscriber.tcl; the
#   procedures of the kind `easy` are in easy.tcl, background.tcl and help.tcl.

namespace eval ::kafkatcl {

Kind kafka {The command kafka::kafka, which makes masters.}
Row kafka create command {
    about {Make a master: what the handles made from it have in common.}
}
Row kafka version {} {
    about {The version of librdkafka.}
}

Kind master {The configuration of handles, and the callbacks that they share.}
Row master config {?name value ...?} {
    about {Show or set properties of clients, and of their topics.}
    errors {_INVALID_ARG}
    call master_config
    properties 1
}
Row master producer_creator cmdName {
    about {Make a handle to produce with.}
}
Row master consumer_creator cmdName {
    about {Make a handle to consume partitions with.}
}
Row master topic_config {?name value ...?} {
    about {Show or set the properties of topics.}
    errors {_INVALID_ARG}
    call master_topic_config
    properties 1
}
Row master partitioner consistent|random {
    about {How partition -1 is chosen for messages: by the key, or at random.}
    call master_partitioner
    returns nothing
    choices {random consistent}
}
Row master delivery_report {option ?args?} {
    about {Which deliveries are told, and to whom.}
    suboptions {callback sample every}
}
Row master {delivery_report callback} command {
    about {Set the callback for delivery reports.}
}
Row master {delivery_report sample} {} {
    about {Have the next delivery told.}
    call master_sample
    returns nothing
}
Row master {delivery_report every} {?interval?} {
    about {Have one delivery of so many told; without a number, how many.}
    call master_every
}
Row master error_callback command {
    about {Set the callback for errors that concern no single message.}
}
Row master statistics_callback command {
    about {Set the callback for statistics, which come each statistics.interval.ms.}
}
Row master logger {syslog|stderr|none|callback ?function?} {
    about {Where the log lines of handles made later go.}
    also {logger callback function}
    choices {syslog stderr none callback}
}
Row master delete {} {
    about {Delete the master; its handles remain.}
}
Row master subscriber cmdName {
    about {Make a subscriber, a member of the consumer group group.id.}
}
Row master delivery_report_callback command {
    about {The same as delivery_report callback.}
}
Row master add_brokers brokerList {
    about {Add brokers to start from.}
}
Row master share_subscriber cmdName {
    since 2.5
    about {Make a share subscriber, a member of the share group group.id.}
}

Kind handle {A connection to a cluster, to produce or to consume with.}
Row handle name {} {
    about {The name of the client.}
    call handle_name
}
Row handle new_topic {cmdName topic} {
    about {Make a topic object, to produce to or to consume from by the kind of the handle.}
}
Row handle log_level level {
    about {Which log lines are told: emerg, alert, crit, err, warning, notice, info, or debug, and those before it.}
    call handle_log_level
    returns nothing
}
Row handle add_brokers brokerList {
    about {Add brokers to start from.}
}
Row handle create_queue command {
    about {Make a queue, which several partitions can feed.}
}
Row handle output_queue_length {} {
    about {How many messages are not delivered, or not told to the delivery report callback, yet.}
}
Row handle meta refresh|print {
    about {Fetch what info tells anew, and print it.}
    errors {_TRANSPORT}
    waits 1
}
Row handle info {?topics?} {
    about {What there is on the cluster.}
    suboptions {topics brokers partitions}
    count {1 9999}
}
Row handle {info topics} {} {
    about {The topics of the cluster.}
    errors {_TRANSPORT}
    call handle_topics
    waits 1
}
Row handle {info brokers} {} {
    about {The brokers of the cluster, as host:port.}
    errors {_TRANSPORT}
    call handle_brokers
    waits 1
}
Row handle {info partitions} topic {
    about {The number of partitions of a topic.}
    errors {_TRANSPORT}
    call handle_partitions
    waits 1
}
Row handle config {?name value ...?} {
    about {Show or set properties of topics made later.}
    errors {_INVALID_ARG}
    call handle_config
    properties 1
}
Row handle partitioner consistent|random {
    about {How partition -1 is chosen for messages of topics made later.}
    call handle_partitioner
    returns nothing
    choices {random consistent}
}
Row handle delete {} {
    about {Delete the handle; what was queued is delivered.}
}
Row handle poll {?timeoutMS?} {
    about {Run the callbacks that wait; their number.}
}
Row handle assignment {} {
    since 2.5
    about {The partitions that a consumer reads.}
    call handle_assignment
}
Row handle transaction {?-timeout ms? ?-offsets subscriber? script} {
    since 2.5
    about {Run a script; what it has produced, and the positions of the subscriber, are committed together or not at all.}
    errors {_STATE _NOT_CONFIGURED _FENCED _ASSIGNMENT_LOST ILLEGAL_GENERATION}
    spare 1
}
Row handle init_transactions {?ms?} {
    since 2.5
    about {Get ready for transactions, and end those of an earlier producer with the same transactional.id.}
    errors {_STATE _NOT_CONFIGURED _TIMED_OUT}
    call transactions_init
    waits 1
}
Row handle begin_transaction {} {
    since 2.5
    about {Begin a transaction.}
    errors {_STATE _NOT_CONFIGURED}
    call transaction_begin
    waits 1
}
Row handle send_offsets {subscriber ?position ...?} {
    since 2.5
    about {Have offsets committed with the transaction: these, or those of all that the subscriber has handed over.}
    errors {_STATE _ASSIGNMENT_LOST ILLEGAL_GENERATION UNKNOWN_MEMBER_ID}
    waits 1
}
Row handle commit_transaction {?ms?} {
    since 2.5
    about {Wait until all messages are delivered, and commit the transaction.}
    errors {_STATE _TIMED_OUT _FENCED}
    call transaction_commit
    waits 1
}
Row handle abort_transaction {?ms?} {
    since 2.5
    about {Drop what is not sent, and abort the transaction; subscribers whose offsets were sent go back.}
    errors {_STATE _TIMED_OUT _FENCED}
    before Requeue
    call transaction_abort
    waits 1
}
Row handle flush {?timeoutMS?} {
    since 2.5
    about {Wait until all messages are delivered, and their reports told; how many are left.}
    errors {_INVALID_ARG}
    waits 1
}
Row handle purge {?-queued bool? ?-in_flight bool?} {
    since 2.5
    about {Give up messages that are not delivered; their reports tell it.}
    errors {_INVALID_ARG}
    default {-queued 1 -in_flight 1}
}

Kind producer_topic {A topic to produce to.}
Row producer_topic produce {partition payload ?key?} {
    about {Queue a message.}
    errors {_UNKNOWN_PARTITION MSG_SIZE_TOO_LARGE _QUEUE_FULL _FATAL}
    options {?-headers list? ?-null_headers positions? ?-timestamp ms? ?-callback prefix? ?-tag value?}
}
Row producer_topic produce_batch {partition list-of-payload-key-lists} {
    about {Queue messages, each a list of payload and optional key.}
    errors {_UNKNOWN_PARTITION MSG_SIZE_TOO_LARGE _QUEUE_FULL _FATAL}
}
Row producer_topic tombstone {partition key ?-headers list? ?-null_headers positions? ?-timestamp ms? ?-callback prefix? ?-tag value?} {
    since 2.5
    about {Queue a message without a payload, which has a compacted topic forget its key.}
    errors {_UNKNOWN_PARTITION _QUEUE_FULL _FATAL}
}
Row producer_topic produce_messages {messages ?-partition n? ?-callback prefix?} {
    since 2.5
    about {Queue messages, each a dict as consuming gives them.}
    errors {_INVALID_ARG _UNKNOWN_PARTITION MSG_SIZE_TOO_LARGE _QUEUE_FULL _FATAL}
}
Row producer_topic info option {
    about {What there is to know of the topic.}
    suboptions {name partitions consistent_partition partition_for output_queue_length}
    count {1 2}
}
Row producer_topic {info name} {} {
    about {The name of the topic.}
    call topic_name
}
Row producer_topic {info partitions} {} {
    about {The number of its partitions, as it is now.}
    errors {_TRANSPORT}
    call topic_partitions
    waits 1
}
Row producer_topic {info consistent_partition} key {
    about {The partition that the partitioner `consistent` chooses for a key.}
    errors {_TRANSPORT}
    call topic_consistent_partition
    waits 1
}
Row producer_topic {info partition_for} key {
    since 2.5
    about {The partition that the topic's own partitioner chooses for a key; -1 where it is chosen at random.}
    errors {_TRANSPORT}
    call topic_partition_for
    waits 1
}
Row producer_topic {info output_queue_length} {} {
    about {What the handle says to output_queue_length.}
}
Row producer_topic creator {subcommand ?args?} {
    about {Run a subcommand of the handle that made the topic.}
    count {0 9999}
}
Row producer_topic delete {} {
    about {Delete the object.}
}
Row producer_topic config {?name value ...?} {
    about {Show or set properties of this topic.}
    errors {_INVALID_ARG}
    call topic_config
    properties 1
}
Row producer_topic encoding {?encoding?} {
    since 2.5
    about {Show or set the encoding of payloads and keys, which are bytes without one.}
    errors {_INVALID_ARG}
}

Row producer_topic channel {?-partition n? ?-key k?} {
    since 2.5
    about {Make a Tcl channel: each line that is written to it is a message.}
    errors {_UNKNOWN_PARTITION MSG_SIZE_TOO_LARGE _QUEUE_FULL _TIMED_OUT}
    default {-partition 0}
}

Kind consumer_topic {A topic to consume partitions of.}
Row consumer_topic consume {partition timeout array} {
    about {Take one message into an array.}
    waits messages
    errors {_TIMED_OUT _UNKNOWN_PARTITION}
}
Row consumer_topic consume_batch {partition timeout count array code} {
    about {Take messages, and run code for each; their number.}
    waits messages
    errors {_UNKNOWN_PARTITION}
}
Row consumer_topic info {} {like producer_topic}
foreach suboption {name partitions consistent_partition partition_for output_queue_length} {
    Row consumer_topic [list info $suboption] {} {like producer_topic}
}
unset suboption
Row consumer_topic start {partition offset ?callback?} {
    about {Begin to fetch a partition.}
    errors {_UNKNOWN_PARTITION}
    waits 1
}
Row consumer_topic start_queue {partition offset queue} {
    about {Begin to fetch a partition into a queue.}
    errors {_UNKNOWN_PARTITION _INVALID_ARG}
    waits 1
}
Row consumer_topic stop partition {
    about {Stop fetching a partition.}
    errors {_UNKNOWN_PARTITION}
}
Row consumer_topic creator {} {like producer_topic}
Row consumer_topic delete {} {
    like producer_topic
    about {Delete the object; its partitions are stopped.}
}
Row consumer_topic consume_start {} {like {consumer_topic start}}
Row consumer_topic consume_start_queue {} {like {consumer_topic start_queue}}
Row consumer_topic consume_stop {} {like {consumer_topic stop}}
Row consumer_topic consume_callback {partition timeoutMS command} {
    about {Wait for messages, and run a callback for all that are there; their number.}
    errors {_UNKNOWN_PARTITION}
}
Row consumer_topic config {} {like producer_topic}
Row consumer_topic pause {partition ?partition ...?} {
    since 2.5
    about {Have nothing of these partitions read until resume.}
    errors {_UNKNOWN_PARTITION}
}
Row consumer_topic resume {partition ?partition ...?} {
    since 2.5
    about {Go on with partitions that were paused.}
    errors {_UNKNOWN_PARTITION}
}
Row consumer_topic paused {} {
    since 2.5
    about {The partitions of the topic that are paused.}
    call topic_paused
}
Row consumer_topic seek {partition offset ?-timeout ms?} {
    since 2.5
    about {Read a partition from this offset on.}
    errors {_UNKNOWN_PARTITION _TIMED_OUT}
    default {-timeout 5000}
    waits 1
}
Row consumer_topic position partition {
    since 2.5
    about {The offset of the next message to read of a partition.}
    errors {_UNKNOWN_PARTITION}
    before Acknowledge
    call topic_position
}
Row consumer_topic encoding {} {like producer_topic errors {_VALUE_DESERIALIZATION _KEY_DESERIALIZATION}}
Row consumer_topic fields {?list?} {
    since 2.5
    about {Show or set what messages have beside the usual fields, and whether the ends of partitions are told.}
}
Row consumer_topic channel {?-partition n? ?-from offset? ?-until end|@MS?} {
    since 2.5
    about {Make a Tcl channel: each message of a partition is a line that can be read.}
    errors {_UNKNOWN_PARTITION _CONFLICT}
    default {-partition 0 -from beginning}
}

Kind queue {What several partitions can feed.}
Row queue consume {timeout array} {
    about {Take one message into an array.}
    waits messages
    errors {_TIMED_OUT}
}
Row queue consume_batch {timeout count array code} {
    about {Take messages, and run code for each; their number.}
    waits messages
}
Row queue consume_callback {?timeoutMS? ?callback?} {
    about {Set the callback for messages; with a timeout, wait for messages and run the callback for them.}
}
Row queue delete {} {
    about {Delete the queue, and stop the partitions that feed it.}
}
Row queue encoding {} {like producer_topic errors {_VALUE_DESERIALIZATION _KEY_DESERIALIZATION}}
Row queue fields {} {like {consumer_topic fields}}

Kind subscriber {A member of a consumer group.}
Row subscriber subscribe {?topic ...?} {
    about {Join the group for these topics; without one, those subscribed to.}
}
Row subscriber unsubscribe {} {
    about {Leave the group.}
    before Requeue
}
Row subscriber assign {?position ...?} {
    about {Read exactly these partitions.}
    errors {_INVALID_ARG}
    waits 1
}
Row subscriber assignment {} {
    about {The partitions that are read.}
    count {0 9999}
}
Row subscriber commit {?-async? ?position ...?} {
    about {Commit these offsets, or those of all that was consumed.}
    errors {_NO_OFFSET _WAIT_COORD}
    waits 1
}
Row subscriber consume {?timeout?} {
    about {One message as a list.}
    waits messages
}
Row subscriber callback {?callback?} {
    about {Set the callback for messages.}
}
Row subscriber offsets {?-committed? ?-timeout ms? {topic partition} ?{topic partition}...?} {
    about {The offset of the next message to read of partitions, or the one that the group has committed.}
    default {-timeout 5000}
    waits 1
}
Row subscriber watermarks {?-cached? ?-timeout ms? topic partition} {
    about {The offset of the oldest message, and that of the next one to be written.}
    errors {_UNKNOWN_PARTITION _TIMED_OUT}
    default {-timeout 5000}
    waits 1
    spare 2
}
Row subscriber meta {} {like handle}
Row subscriber info {} {like handle}
foreach suboption {topics brokers partitions} {
    Row subscriber [list info $suboption] {} {like handle}
}
unset suboption
Row subscriber delete {} {
    about {Commit what was consumed, and leave the group.}
}
Row subscriber error {errno reason} {
    about {Tell the error callback of an error, for tests.}
    call handle_error
    returns nothing
}
Row subscriber pause {?position ...?} {
    since 2.5
    about {Have nothing of these partitions read until resume; without one, those that are paused.}
    errors {_UNKNOWN_PARTITION}
}
Row subscriber resume {?position ...?} {
    since 2.5
    about {Go on with partitions that were paused, or without one with all of them.}
    errors {_UNKNOWN_PARTITION}
}
Row subscriber rebalance_callback {?callback?} {
    since 2.5
    about {Set the callback that is told which partitions the group assigns, revokes, or has lost; empty for none.}
}
Row subscriber paused {} {
    since 2.5
    about {The partitions that are paused.}
    call subscriber_paused
}
Row subscriber consume_batch {timeout count array code} {
    since 2.5
    waits messages
    about {Take messages, and run code for each; their number.}
}
Row subscriber seek {topic partition offset ?-timeout ms?} {
    since 2.5
    about {Read a partition from this offset on.}
    errors {_UNKNOWN_PARTITION _TIMED_OUT}
    default {-timeout 5000}
    waits 1
}
Row subscriber offsets_for_times {?-timeout ms? {topic partition ms} ?{topic partition ms}...?} {
    since 2.5
    about {The offset of the first message at or after a time, of each partition.}
    errors {_UNKNOWN_PARTITION _TIMED_OUT}
    default {-timeout 5000}
    waits 1
}
Row subscriber store {position ?position ...?} {
    since 2.5
    about {Store offsets to be committed, where enable.auto.offset.store is false.}
    errors {_INVALID_ARG _UNKNOWN_PARTITION}
    waits 1
}
Row subscriber lag {?-timeout ms?} {
    since 2.5
    about {How many messages each partition has that were not read.}
    errors {_TIMED_OUT}
    default {-timeout 5000}
    waits 1
}
Row subscriber incremental_assign {position ?position ...?} {
    since 2.5
    about {Read these partitions besides those that are read.}
    errors {_CONFLICT _STATE}
    waits 1
}
Row subscriber incremental_unassign {position ?position ...?} {
    since 2.5
    about {Read these partitions no more.}
    errors {_UNKNOWN_PARTITION _STATE}
}
Row subscriber member_id {} {
    since 2.5
    about {What the group calls this member.}
    call subscriber_member_id
}
Row subscriber encoding {} {like producer_topic errors {_VALUE_DESERIALIZATION _KEY_DESERIALIZATION}}
Row subscriber fields {} {like {consumer_topic fields}}
Row subscriber foreach {array ?-timeout ms? ?-count n? ?-until end|@MS? script} {
    since 2.5
    about {Run a script for each message; their number.}
    default {-timeout -1 -count 2147483647}
}
Row subscriber channel {?-until end|@MS?} {
    since 2.5
    about {Make a Tcl channel: each message is a line that can be read.}
}

Kind share_subscriber {A member of a share group, which shares out messages.}
Row share_subscriber subscribe {?topic ...?} {
    about {Join the group for these topics; without one, those subscribed to.}
}
Row share_subscriber unsubscribe {} {
    about {Leave the group.}
}
Row share_subscriber subscription {} {
    about {The topics that are subscribed to.}
    call share_subscription
}
Row share_subscriber consume {?timeout?} {
    about {One message as a list; the one before is accepted.}
    errors {_STATE}
    waits 1
}
Row share_subscriber consume_batch {timeout count array code} {
    about {Take messages, and run code for each; their number.}
    errors {_STATE}
}
Row share_subscriber callback {?callback?} {
    about {Set the callback for messages.}
}
Row share_subscriber acknowledge {{topic partition offset} ?how?} {
    about {Accept, release or reject a message, where share.acknowledgement.mode is explicit.}
    errors {_STATE}
}
Row share_subscriber commit {?-async? ?-timeout ms?} {
    about {Send what was acknowledged, and wait until it is done.}
    errors {_TIMED_OUT INVALID_RECORD_STATE}
    default {-timeout 5000}
    waits 1
}
Row share_subscriber error {} {like subscriber}
Row share_subscriber delete {} {
    about {Leave the group; what is not acknowledged goes to another member.}
}

# Procedures and no objects; Tcl itself refuses wrong numbers of words.
Kind easy {The easy way: one cluster, with a master, a producer and a consumer that are made when they are needed.}
Row easy kafka::brokers brokerList {
    about {Name the brokers.}
}
Row easy kafka::setup {?-brokers brokerList?} {
    about {Make the master, kafka::master.}
}
Row easy kafka::setup_producer {?-brokers brokerList?} {
    about {Make the producer, kafka::producer.}
}
Row easy kafka::setup_consumer {?-brokers brokerList?} {
    about {Make the consumer, kafka::consumer.}
}
Row easy kafka::topic_producer {name topic} {
    about {Make a topic to produce to, and all it needs.}
}
Row easy kafka::topic_consumer {name topic} {
    about {Make a topic to consume from, and all it needs.}
}
Row easy kafka::subscriber {groupid ?-brokers brokerList?} {
    about {Make a subscriber of this group; the result is its name.}
}
Row easy kafka::await {object subcommand ?args?} {
    about {Call a subcommand that may wait for the cluster, and go on in a coroutine when its answer is there.}
}
Row easy kafka::help {?kind? ?subcommand?} {
    about {What there is, how it is used, and what for.}
}

}
