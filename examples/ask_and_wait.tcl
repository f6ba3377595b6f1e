# Ask questions over one topic, and wait for their answers on another, in coroutines:
# the program goes on meanwhile, and many can wait at once.
#
#   kafkatclsh ask_and_wait.tcl ?questions? ?answers? ?brokers?

package require kafka

lassign [list {*}$argv {*}[lrange {questions answers 127.0.0.1} $argc end]] questions answers brokers

kafka::brokers $brokers
kafka::topic_producer ask $questions
kafka::topic_producer reply $answers
kafka::topic_consumer asked $questions
kafka::topic_consumer replied $answers

# The first message of a topic makes it, where clusters allow that.
ask produce 0 hello
reply produce 0 hello
while {[kafka::producer output_queue_length] > 0} {
    kafka::producer poll 100
}

# Whoever answers; that may be another program.  Older questions were answered.
set began [clock milliseconds]
proc arrived {question} {
    if {[dict exists $question key] && [dict get $question timestamp] >= $::began} {
        reply produce 0 [string toupper [dict get $question payload]] [dict get $question key]
    }
}
asked start 0 beginning arrived

# One coroutine reads all answers, and tells who waits for each.
replied start 0 beginning
coroutine reader apply {{} {
    while 1 {
        kafka::await replied consume 0 -1 answer
        if {[info exists answer(key)] && [info exists ::waiting($answer(key))]} {
            $::waiting($answer(key)) $answer(payload)
        }
    }
}}

# In a coroutine: the answer to a question.
proc answer {question} {
    set key $::began.[pid].[incr ::number]
    set ::waiting($key) [info coroutine]
    ask produce 0 $question $key
    set answer [yield]
    unset ::waiting($key)
    return $answer
}

set left 0
foreach question {"how are you" "what is it" "where to"} {
    incr left
    coroutine question$left apply {{question} {
        puts "$question? [answer $question]"
        incr ::left -1
    }} $question
}
while {$left > 0} {
    vwait left
}
