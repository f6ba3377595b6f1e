# support.tcl --
#
#   What the test files have in common; all.tcl sources it before them.
#
#   The brokers are the Tcl list in the environment variable KAFKATCL_TEST_BROKERS, or
#   with KAFKATCL_EMBEDDED those of the embedded broker.  Without either, tests with the
#   constraint `broker` are skipped.  KAFKATCL_TEST_CLUSTER may say what the brokers
#   are: `embedded` or `kafka`.  KAFKATCL_TEST_TOPICS may list topics of 4 partitions
#   that nobody has used: to make them one by one takes long.  With
#   KAFKATCL_TEST_BROKER_ONLY tests that need no brokers are skipped: for a second kind
#   of cluster.
#
#   A test begins with a fixture (see Fixtures) and ends without objects and without
#   background errors.

package require kafka

namespace eval ::support {
    variable objects {}     ;# commands that outlive the tests
    variable numbers 0      ;# counts topics and groups
    variable errors {}      ;# background errors: message, options, ...
    variable brokers {}     ;# of the cluster, a list; empty without one
    variable unused {}      ;# topics of KAFKATCL_TEST_TOPICS
    variable cluster kafka  ;# what the cluster is: kafka, or embedded
    variable patience 15000 ;# ms until what must come is given up
    variable globals [info globals] ;# global variables that no test has made
}

# -- brokers ---------------------------------------------------------------------------

if {[info exists ::env(KAFKATCL_TEST_BROKERS)]} {
    set ::support::brokers $::env(KAFKATCL_TEST_BROKERS)
} elseif {[info exists ::env(KAFKATCL_EMBEDDED)]} {
    set ::support::brokers 127.0.0.1:9092
    set ::support::cluster embedded
}
if {[info exists ::env(KAFKATCL_TEST_CLUSTER)]} {
    set ::support::cluster $::env(KAFKATCL_TEST_CLUSTER)
}
if {[info exists ::env(KAFKATCL_TEST_TOPICS)]} {
    set ::support::unused $::env(KAFKATCL_TEST_TOPICS)
}
::tcltest::testConstraint brokerless [expr {![info exists ::env(KAFKATCL_TEST_BROKER_ONLY)]}]
::tcltest::testConstraint broker [llength $::support::brokers]
foreach cluster {embedded kafka} {
    ::tcltest::testConstraint $cluster [expr {[llength $::support::brokers] && $cluster eq $::support::cluster}]
}
unset cluster
# The embedded broker of this process serves all handles, whatever brokers they know.
::tcltest::testConstraint notInProcess [expr {![info exists ::env(KAFKATCL_EMBEDDED)]}]

# The handle that makes topics, made when it is first needed.
proc ::support::Maker {} {
    variable objects
    variable brokers
    if {![llength $objects]} {
        kafka::kafka create ::support::master
        ::support::master logger none
        ::support::master topic_config message.timeout.ms 2000
        # Who hears that a message has failed has not lost it.
        ::support::master delivery_report callback list
        ::support::master producer_creator ::support::producer
        ::support::producer add_brokers $brokers
        set objects {::support::master ::support::producer}
    }
    return ::support::producer
}

# A name that nothing else in the cluster has.
#   what  is said in it of what it is for
proc unique {what} {
    return "tcltest.$what.[pid].[clock microseconds].[incr ::support::numbers]"
}

# The name of a topic with 4 partitions that nobody has used.
proc newTopic {} {
    if {![llength $::support::unused]} {
        return [makeTopic]
    }
    set ::support::unused [lassign $::support::unused topic]
    return $topic
}

# The same, of a topic that was not there before.  A cluster makes a topic when a
# producer asks for it, and this one asks with a message for a partition that is not
# there.
#   Errors  if it has no 4 partitions within `patience`
proc makeTopic {} {
    set topic [unique topic]
    set maker [::support::Maker]
    $maker new_topic ::support::topic $topic
    catch {::support::topic produce 99 {}}
    set deadline [expr {[clock milliseconds] + $::support::patience}]
    while {[catch {$maker meta refresh; $maker info partitions $topic} partitions] || $partitions < 4} {
        if {[clock milliseconds] > $deadline} {
            error "no topic $topic after $::support::patience ms: $partitions"
        }
        after 10
    }
    while {[$maker output_queue_length] > 0} {
        $maker poll 10
    }
    ::support::topic delete
    return $topic
}

# -- fixtures --------------------------------------------------------------------------

# What a test finds; each begins with all of the one it names.  Those from `broker` on
# need a cluster.
#
#   nothing     ::out, an empty list
#   master      m
#   objects     p, c, tp, tc, q and s that know no broker
#   broker      m, and in ::topic the name of a new topic
#   connected   p, c, tp and tc for that topic
#   messages    one (key k1), two (no key) and three (empty key) in partition 0
#   queue       q
#   subscriber  s, the only member of its group ::group
namespace eval ::support::fixture {
    proc nothing {} {
        set ::out {}
    }

    proc master {} {
        nothing
        kafka::kafka create m
        m logger none
        # An empty fetch answers soon.
        m config fetch.wait.max.ms 20
    }

    proc objects {} {
        master
        m config group.id nobody
        m producer_creator p
        m consumer_creator c
        p new_topic tp nowhere
        c new_topic tc nowhere
        c create_queue q
        m subscriber s
    }

    proc broker {} {
        master
        set ::topic [newTopic]
    }

    proc connected {} {
        broker
        connect
    }

    proc messages {} {
        connected
        tp produce 0 one k1
        tp produce 0 two
        tp produce 0 three {}
        delivered
    }

    proc queue {} {
        messages
        c create_queue q
    }

    proc subscriber {} {
        messages
        newGroup
        m subscriber s
    }
}

# Make p, c, tp and tc, from the master m as it is, for ::topic.
proc connect {} {
    m producer_creator p
    p add_brokers $::support::brokers
    p new_topic tp $::topic
    m consumer_creator c
    c add_brokers $::support::brokers
    # With the leaders known, the first start needs not wait for them.
    c meta refresh
    c new_topic tc $::topic
}

# Have the master m make subscribers of a new group, whose name is in ::group.
proc newGroup {} {
    set ::group [unique group]
    m config group.id $::group bootstrap.servers [join $::support::brokers ,] heartbeat.interval.ms 200
    # The embedded broker lets members join again when a session has run out, Kafka at
    # once.
    m config session.timeout.ms [expr {$::support::cluster eq "embedded" ? 1500 : 6000}]
}

# The handler of background errors: it keeps them.
proc ::support::BackgroundError {message options} {
    variable errors
    lappend errors $message $options
}
interp bgerror {} ::support::BackgroundError

# The messages of the background errors so far, which are forgotten.
proc backgroundErrors {} {
    set messages {}
    foreach {message options} $::support::errors {
        lappend messages $message
    }
    set ::support::errors {}
    return $messages
}

# The names of all object commands, but for those that outlive the tests, in their
# order.
proc objects {} {
    set names {}
    foreach {identifier name} [array get ::kafkatcl::commandOf] {
        if {$name ni $::support::objects} {
            lappend names $name
        }
    }
    return [lsort $names]
}

# End a test: delete what it made, variables too.
#   Errors  if objects are left over then, or if there were background errors
proc ::support::Reset {} {
    foreach name [objects] {
        # One may have gone with its namespace.
        catch {rename $name {}}
    }
    update
    foreach name [info globals] {
        if {$name ni $::support::globals && ![regexp {^(auto|tcl|error)} $name]} {
            unset -nocomplain ::$name
        }
    }
    if {[llength [objects]]} {
        error "objects left over: [objects]"
    }
    if {[llength [set errors [backgroundErrors]]]} {
        error "background errors: $errors"
    }
}

# -- tests -----------------------------------------------------------------------------

# A test of a result.
#   fixture  see Fixtures; by it the test has the constraint broker or brokerless
#   body     evaluated like the body of `test`
#   args     options of `test`, such as -match
proc check {name fixture description body result args} {
    set constraints {}
    if {[dict exists $args -constraints]} {
        lappend constraints {*}[dict get $args -constraints]
        dict unset args -constraints
    }
    if {$fixture ni {nothing master objects}} {
        lappend constraints broker
    } elseif {"broker" ni $constraints} {
        lappend constraints brokerless
    }
    uplevel 1 [list ::tcltest::test $name $description -constraints $constraints \
        -setup ::support::fixture::$fixture -body $body -cleanup ::support::Reset -result $result {*}$args]
}

# A pattern of the errorCode of a property or another argument that is refused.
set ::support::badArgument {KAFKA RD_KAFKA_RESP_ERR__INVALID_ARG {Local: Invalid argument or configuration}*}

# A test of an error.  The command fails twice in the same way, and everything is still
# there afterwards.
#   command  evaluated at global level
#   message  a pattern of the error's message, and `errorcode` one of its errorCode
#   args     options of `test`
proc refused {name fixture command message {errorcode NONE} args} {
    uplevel 1 [list check $name $fixture "$command is refused" \
        [list ::support::Refusal $command $message $errorcode] {} {*}$args]
}

# Call a command that is to fail.
#   Result  what is not as it should be; empty if all is
proc ::support::Refusal {command message errorcode} {
    set before [objects]
    foreach time {first second} {
        set code [catch {uplevel #0 $command} result options]
        if {$code != 1} {
            return "code $code, not an error, the $time time: $result"
        }
        if {![string match $message $result]} {
            return "message the $time time: $result"
        }
        if {![string match $errorcode [dict get $options -errorcode]]} {
            return "errorCode the $time time: [dict get $options -errorcode]"
        }
    }
    if {[objects] ne $before} {
        return "objects before: $before, after: [objects]"
    }
}

# A test of a number of words that is refused; with the fixture `objects`.
#   usage  what the error is to show, without the blank of subcommands that take nothing
proc wrongArgs {name command usage} {
    set pattern "wrong # args: should be \"$usage\""
    uplevel 1 [list refused $name objects $command [string map {? \\? * \\* [ \\[} $pattern] {TCL WRONGARGS}]
}

# -- waiting ---------------------------------------------------------------------------

# Run the event loop until an expression is true.
#   condition  an expression, evaluated in the caller
#   ms         for so many at most; empty for `patience`
#   Errors     if it is not true by then
#   Level      1
proc waitFor {condition {ms {}}} {
    uplevel 1 [list waitDoing {runEvents 5} $condition $ms]
}

# The same with a script in place of the event loop.
#   script  evaluated in the caller
#   Level   1
proc waitDoing {script condition {ms {}}} {
    set ms [expr {$ms eq "" ? $::support::patience : $ms}]
    set deadline [expr {[clock milliseconds] + $ms}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock milliseconds] > $deadline} {
            error "waited $ms ms for $condition; out is {$::out}, background errors are {[backgroundErrors]}"
        }
        uplevel 1 $script
    }
}

# Run the event loop for so many ms.
proc runEvents {ms} {
    after $ms [list incr ::support::tick]
    vwait ::support::tick
}

# What has come so far: how many elements ::out and the background errors have.
proc ::support::Come {} {
    return [list [llength $::out] [llength $::support::errors]]
}

# Require that nothing comes, while the event loop runs: neither in ::out nor as a
# background error.
#   ms      for so many
#   Errors  if anything has come
proc quietFor {ms} {
    ::support::NothingComes $ms runEvents
}

# The same without the event loop: nothing is told, however much there is to tell.
proc standStill {ms} {
    ::support::NothingComes $ms after
}

# Require that nothing comes while a command runs.
#   command  gets ms
proc ::support::NothingComes {ms command} {
    set before [Come]
    $command $ms
    if {[Come] ne $before} {
        error "it was not quiet: out is {$::out}, background errors are {[backgroundErrors]}"
    }
}

# Run the event loop until nothing has come for so many ms: what may still be on its way
# has come.
#   Errors  if that takes longer than `patience`
proc untilQuiet {ms} {
    set before {}
    waitDoing {set before [::support::Come]; runEvents $ms} {$before eq [::support::Come]}
}

# Wait until a producer handle has delivered everything.
#   Errors  if that takes longer than `patience`
proc delivered {{handle p}} {
    waitFor {[$handle output_queue_length] == 0}
}

# -- messages --------------------------------------------------------------------------

# Produce messages to a partition of ::topic, and see them delivered.
#   args  their payloads
proc send {partition args} {
    foreach payload $args {
        tp produce $partition $payload
    }
    delivered
}

# The payloads of the next messages, taken one by one.
#   command  a command that lacks timeout and array: {tc consume 0}
#   Errors   _TIMED_OUT if one takes longer than `patience`
proc payloads {command count} {
    set payloads {}
    while {[llength $payloads] < $count} {
        {*}$command $::support::patience row
        lappend payloads $row(payload)
    }
    return $payloads
}

# A callback that notes what it is given in ::out.
proc note {args} {
    lappend ::out {*}$args
}

# Wait until ::out has that many elements.
#   Result  ::out, which may have more
proc noted {count} {
    waitFor {[llength $::out] >= $count}
    return $::out
}

# One field of each list in ::out.
proc fields {name} {
    return [lmap list $::out {dict get $list $name}]
}

# The next messages of a subscriber, as lists.
#   Errors  if all together take longer than `patience`
proc received {subscriber count} {
    set lists {}
    set deadline [expr {[clock milliseconds] + $::support::patience}]
    while {[llength $lists] < $count} {
        set list [$subscriber consume 50]
        if {[llength $list]} {
            lappend lists $list
        }
        if {[clock milliseconds] > $deadline} {
            error "got only [llength $lists] messages: $lists"
        }
    }
    return $lists
}

# The payloads of the next messages of a subscriber.
proc receivedPayloads {subscriber count} {
    return [lmap list [received $subscriber $count] {dict get $list payload}]
}

# Bytes in hexadecimal digits.
proc hex {bytes} {
    return [binary encode hex $bytes]
}

# A string of all byte values in their order.
proc allBytes {} {
    set bytes {}
    for {set i 0} {$i < 256} {incr i} {
        append bytes [format %c $i]
    }
    return $bytes
}
