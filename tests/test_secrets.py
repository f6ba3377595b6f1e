"""Secrets are given to Kafka and shown to nobody: not by config, in errors, in
errorInfo, on stderr, in the log.
"""

from __future__ import annotations

import pytest
from fix_cluster import Cluster
from fix_sasl import sasl_broker
from fix_tcl import KAFKATCLSH, RunTcl

from kafkatcl.engine import secrets
from kafkatcl.engine.master import Master
from kafkatcl.engine.settings import creation_text, shown_words
from kafkatcl.errors import Failure

SENSITIVE = (
    "sasl.password",
    "sasl.username",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "ssl.key.pem",
    "ssl.key.password",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.certificate.pem",
    "ssl.ca.pem",
)

SHOWN = """
package require kafka
kafka::kafka create m
foreach name $argv {
    m config $name CANARY-$name
    puts "$name [dict get [m config] $name]"
}
puts [m config]
puts [list [dict get [m config] client.id] [dict exists [m topic_config] acks]]
"""


def test_config_shows_no_secret(run_everywhere: RunTcl) -> None:
    done = run_everywhere(SHOWN, *SENSITIVE)
    assert done.stdout.splitlines()[: len(SENSITIVE)] == [f"{name} [redacted]" for name in SENSITIVE]
    assert done.stdout.splitlines()[-1] == "rdkafka 0"
    assert (done.status, done.stderr, "CANARY" in done.stdout) == (0, "", False)


# Everything that can be wrong with a secret in it, by a list whose words are the
# secret; and what shows it.
REFUSED = r"""
package require kafka
proc bgerror {message} {puts "background: $message\n$::errorInfo"; incr ::told}
kafka::kafka create m
m logger stderr
m error_callback {apply {error {puts "told: $error"}}}
m config bootstrap.servers 127.0.0.1:1
set pw $argv
kafka::kafka create fresh
fresh config sasl.password $pw ssl.key.pem $pw
m producer_creator p
p new_topic t topic
set calls {}
foreach name {
    security.protocol sasl.mechanism sasl.mechanisms sasl.oauthbearer.method ssl.endpoint.identification.algorithm
    enable.ssl.certificate.verification max.block.ms debug broker.address.family client.dns.lookup isolation.level
    socket.timeout.ms message.max.bytes enable.idempotence acks auto.offset.reset partitioner compression.codec
    topic.blacklist builtin.features plugin.library.paths my.password my.token.of log_cb ssl_key no.such
} {
    lappend calls [list m config $name $pw] [list m topic_config $name $pw] [list p config $name $pw] \
        [list t config $name $pw] [list t creator config $name $pw] [list m config sasl.username ada $name $pw] \
        [list m config $name broker,$pw] [list m config $name 12$pw]
}
foreach name {sasl.password ssl.key.password ssl.key.pem linger.ms max.block.ms acks} {
    lappend calls [list m config $pw $name] [list m topic_config $pw $name] [list t config $pw $name] \
        [list m config sasl.username ada $pw $name]
}
lappend calls [list m config sasl.password $pw no.such 1] [list m config sasl.password $pw odd] \
    [list m config sasl.username ada sasl.password $pw linger.ms x] [list m topic_config sasl.password $pw odd] \
    [list m sasl.password $pw] [list p sasl.password $pw] [list m config $pw $pw] [list t creator sasl.password $pw] \
    [list m config $pw] [list m config sasl.password $pw sasl.username]
foreach {name value} [list ssl.providers $pw ssl.keystore.location $pw ssl.key.pem $pw sasl.mechanism PLAIN \
        partition.assignment.strategy $pw ssl.cipher.suites $pw ssl.key.location $pw ssl.engine.location $pw] {
    set name$name f[incr count]
    kafka::kafka create f$count
    f$count config security.protocol SASL_SSL sasl.password $pw sasl.mechanism PLAIN sasl.username ada \
        ssl.keystore.password $pw group.id g $name $value
    lappend calls [list f$count consumer_creator c$count] [list f$count producer_creator p$count] \
        [list f$count subscriber s$count]
}
foreach call $calls {
    if {![catch {eval $call} message options]} continue
    incr refused
    puts "$message|$errorCode|[dict get $options -errorinfo]|[info errorstack]|[dict get $options -errorcode]"
    catch {uplevel #0 $call} message options
    puts "$options"
    after 0 $call
    vwait told
}
puts "refused $refused"
puts [fresh config]
eval [list m config sasl.password $pw no.such 1]
"""


@pytest.mark.parametrize("secret", ["CANARY", "hunter22", "Tr0ub4dor&3", "correct horse battery"])
def test_no_error_shows_what_may_be_a_secret(secret: str, run_everywhere: RunTcl) -> None:
    done = run_everywhere(REFUSED, secret)
    assert done.status == 1
    refused = int(done.stdout.rpartition("refused ")[2].split()[0])
    assert refused > 200
    for part in (secret, *secret.split()):
        assert part not in done.stdout + done.stderr
    assert 'No such configuration property: "no.such"' in done.stderr


HARMLESS = """
package require kafka
kafka::kafka create m
foreach {name value} {
    debug nosuch linger.ms 5min message.max.bytes 1e4 session.timeout.ms 5hunter2
    auto.offset.reset foo no.such 1 linger.ms abc message.max.bytes 12 max.block.ms 1.5
    security.protocol tls enable.idempotence CANARY
} {
    catch {m config $name $value} message
    puts $message
}
catch {m config linger.ms x}
puts $errorInfo
catch {eval [list m config sasl.password CANARY client.id me no.such 1]}
puts $errorInfo
puts [info errorstack]
"""


def test_errors_show_what_is_harmless(run_everywhere: RunTcl) -> None:
    done = run_everywhere(HARMLESS)
    assert done.stdout.splitlines() == [
        'Invalid value "nosuch" for configuration property "debug"',
        'Invalid value "5min" for configuration property "linger.ms": must be a number',
        'Invalid value "1e4" for configuration property "message.max.bytes": must be a whole number',
        'Invalid value for configuration property "session.timeout.ms": must be a whole number',
        'Invalid value "foo" for configuration property "auto.offset.reset"',
        'No such configuration property: "no.such"',
        'Invalid value for configuration property "queue.buffering.max.ms"',
        'Configuration property "message.max.bytes" value 12 is outside allowed range 1000..1000000000',
        'Invalid value "1.5" for configuration property "max.block.ms": a number of ms from 0 on',
        'Invalid value for configuration property "security.protocol": '
        "must be plaintext, ssl, sasl_plaintext, or sasl_ssl",
        'Expected bool value for "enable.idempotence": true or false',
        'Invalid value for configuration property "queue.buffering.max.ms"',
        "    (linger.ms must be a number from 0 to 900000)",
        "    invoked from within",
        '"m config linger.ms x"',
        'No such configuration property: "no.such"',
        "    while executing",
        '"m config sasl.password {[redacted]} client.id me no.such {[redacted]}"',
        '    ("eval" body line 1)',
        "    invoked from within",
        '"eval [list m config sasl.password CANARY client.id me no.such 1]"',
        "INNER {m config sasl.password {[redacted]} client.id me no.such {[redacted]}}",
    ]


# Masters `a` and `b` have secrets; others get copies of what config shows, in all the
# ways there are.
COPIES = """
package require kafka
lassign $argv broker
foreach name {a b} {
    kafka::kafka create $name
    $name config sasl.username user-$name sasl.password secret-of-$name
}
set ofA [a config]
set ofB [b config]
proc copied {name code} {
    kafka::kafka create $name
    $name logger none
    $name error_callback [list apply {{name error} {set ::told($name) 1}} $name]
    $name config security.protocol sasl_plaintext sasl.mechanism PLAIN bootstrap.servers $::broker
    uplevel #0 $code
    $name producer_creator $name.p
}
copied one {one config sasl.username [dict get $ofA sasl.username] sasl.password [dict get $ofA sasl.password]}
copied two {foreach {name value} $ofB {if {[string match sasl.* $name]} {two config $name $value}}
    two config sasl.mechanism PLAIN}
copied three {
    foreach {name value} [one config] {
        catch {three config $name $value}
    }
}
array set kept $ofA
a config sasl.password another
a config
a delete
copied four {four config sasl.username u4 sasl.password $kept(sasl.password)}
copied five {
    set pairs {}
    foreach {name value} $ofB {lappend pairs [list $name $value]}
    set chosen [lsearch -inline -index 0 $pairs sasl.password]
    five config sasl.username u5 {*}$chosen
}
while {[array size told] < 5} {vwait told}
"""


def test_a_copied_marker_is_the_secret_of_the_master_it_came_from(run_everywhere: RunTcl) -> None:
    with sasl_broker() as broker:
        done = run_everywhere(COPIES, broker.address)
        assert (done.status, done.stderr) == (0, "")
        tokens = broker.tokens
    assert set(tokens) == {
        b"\0user-a\0secret-of-a",
        b"\0user-b\0secret-of-b",
        b"\0u4\0secret-of-a",
        b"\0u5\0secret-of-b",
    }


TEXTS = """
package require kafka
foreach name {a b c d} {kafka::kafka create $name}
set text {}
append text \\[ redacted \\]
catch {c config sasl.password $text} message
puts $message
a config sasl.password secret-of-a
a config
c config sasl.password $text
b config sasl.password secret-of-b
b config
catch {d config sasl.password $text} message
puts $message
puts [dict exists [d config] sasl.password]
catch {d config client.id [dict get [a config] sasl.password]} message
puts $message
d config client.id $text
puts [dict get [d config] client.id]
"""


def test_a_marker_that_is_only_text_is_what_was_shown_if_that_is_clear(run_everywhere: RunTcl) -> None:
    done = run_everywhere(TEXTS)
    assert done.stdout.splitlines() == [
        '"[redacted]" stands for no value of "sasl.password" that was shown: set the value itself',
        '"[redacted]" may stand for several values of "sasl.password": use the word that config gave, '
        "not a copy of its text, or set the value itself",
        "0",
        'the value behind "[redacted]" is a secret, and "client.id" would show it',
        "[redacted]",
    ]
    assert done.status == 0, done.stderr


def test_a_broker_that_repeats_a_password_does_not_get_it_into_the_log(run_everywhere: RunTcl) -> None:
    script = """
        package require kafka
        kafka::kafka create m
        m error_callback {apply {error {set ::told $error}}}
        m config bootstrap.servers $argv security.protocol sasl_plaintext sasl.mechanism PLAIN
        m config sasl.username ada sasl.password CANARY-99
        m producer_creator p
        vwait told
        puts $told
    """
    with sasl_broker(b"wrong password CANARY-99 of ada") as broker:
        done = run_everywhere(script, broker.address)
    assert "wrong password [redacted] of ada" in done.stdout
    assert "wrong password [redacted] of ada" in done.stderr
    assert "CANARY" not in done.stdout + done.stderr


def test_debug_shows_no_secret(embedded_cluster: Cluster, run_everywhere: RunTcl) -> None:
    script = """
        package require kafka
        kafka::kafka create m
        m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,] debug all statistics.interval.ms 10
        m statistics_callback {apply {json {puts $json; incr ::told}}}
        m config sasl.username ada sasl.password CANARY-1 ssl.key.password CANARY-2 ssl.key.pem CANARY-3
        m config ssl.keystore.password CANARY-4 sasl.oauthbearer.client.secret CANARY-5
        m config sasl.oauthbearer.config CANARY-6
        m producer_creator p
        p new_topic t [lindex $argv 0]
        t produce 0 x
        while {[incr told 0] < 2} {vwait told}
    """
    done = run_everywhere(script, embedded_cluster.topic(), brokers=embedded_cluster)
    assert done.status == 0
    assert len(done.stderr.splitlines()) > 50
    assert "CANARY" not in done.stdout + done.stderr


def test_python_shows_no_secret(run_tcl: RunTcl) -> None:
    master = Master("m")
    master.configure("sasl.password", "CANARY")
    for shown in (master, master.conf, master.conf.copy(), master.topic_conf):
        assert "CANARY" not in repr(shown) + str(shown)
    with pytest.raises(Failure) as failed:
        master.configure("security.protocol", "CANARY")
    error: BaseException | None = failed.value
    while error is not None:
        assert "CANARY" not in repr(error)
        error = None if error.__suppress_context__ else error.__cause__ or error.__context__


def test_a_word_that_is_part_of_a_secret_name_makes_the_value_one() -> None:
    for name in (
        "my.PassWord",
        "x.secret",
        "api.token",
        "a.pem",
        "credentials",
        "sasl.jaas.config",
        "api_key",
    ):
        assert secrets.is_hidden(name)
    for name in ("client.id", "sasl.mechanisms", "sasl.oauthbearer.token.endpoint.url", "group.id"):
        assert not secrets.is_hidden(name)


def test_short_secrets_are_left_out_of_texts_as_words() -> None:
    secrets.note("sasl.password", "pa55")
    secrets.note("sasl.password", "longenough")
    secrets.note("sasl.password", "ab")
    assert secrets.scrub("pa55 xpa55 (pa55) ab longenoughs") == "[redacted] xpa55 ([redacted]) ab [redacted]s"
    assert secrets.scrub_json('{"n":12345678}') == '{"n":12345678}'
    secrets.note("sasl.password", "12345678")
    assert secrets.scrub_json('{"n":12345678,"s":"longenough"}') == '{"n":12345678,"s":"[redacted]"}'


def test_texts_about_settings_keep_paths_and_words() -> None:
    settings = {"ssl.ca.location": "/etc/no/such", "ssl.providers": "S3cret", "client.id": "must"}
    assert creation_text("S3cret: /etc/no/such must be", settings) == "[redacted]: /etc/no/such must be"


def test_the_words_of_a_call_are_shown_but_for_secrets() -> None:
    words = ["m", "config", "linger.ms", "5", "client.id", "Me-1", "sasl.password", "x", "S3", "group.id"]
    assert list(shown_words(words, 2)) == [*words[:7], secrets.MARKER, secrets.MARKER, secrets.MARKER]
    assert list(shown_words(["p", "sasl.password", "x", "y"], -1)) == [
        "p",
        "sasl.password",
        secrets.MARKER,
        "y",
    ]


# -- warnings --------------------------------------------------------------------------

WARNED = """
package require kafka
kafka::kafka create m
m config bootstrap.servers 127.0.0.1:1 log.connection.close false {*}$argv
m logger callback {apply {line {
    if {[dict get $line facility] eq "SECURITY"} {puts "[dict get $line level] [dict get $line message]"}
}}}
m producer_creator p
m producer_creator p2
m consumer_creator c
after 300 {set end 1}
vwait end
"""
UNVERIFIED = "4 enable.ssl.certificate.verification is false: any server can pass for a broker\n"
UNNAMED = (
    "4 ssl.endpoint.identification.algorithm is none: "
    "any server with a certificate of a known authority can pass for a broker\n"
)
PLAIN_TEXT = "4 security.protocol is sasl_plaintext: the password (%s) goes over the network without TLS\n"
SASL = ("sasl.username", "ada", "sasl.password", "CANARY", "security.protocol")
WARNINGS = [
    ((), ""),
    (("security.protocol", "ssl"), ""),
    (("enable.ssl.certificate.verification", "false", "security.protocol", "ssl"), UNVERIFIED),
    (("enable.ssl.certificate.verification", "F", "log_level", "4"), UNVERIFIED),
    (("enable.ssl.certificate.verification", "false", "log_level", "3"), ""),
    (("ssl.endpoint.identification.algorithm", "NONE", "security.protocol", "ssl"), UNNAMED),
    ((*SASL, "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN"), PLAIN_TEXT % "PLAIN"),
    ((*SASL, "sasl_plaintext", "sasl.mechanisms", "SCRAM-SHA-512"), PLAIN_TEXT % "SCRAM-SHA-512"),
    ((*SASL, "sasl_ssl", "sasl.mechanism", "PLAIN"), ""),
    (("security.protocol", "sasl_plaintext", "sasl.mechanism", "OAUTHBEARER"), ""),
]


@pytest.mark.parametrize(("settings", "warned"), WARNINGS)
def test_what_gives_security_up_is_warned_of_once(
    settings: tuple[str, ...], warned: str, run_everywhere: RunTcl
) -> None:
    done = run_everywhere(WARNED, *settings)
    assert (done.stdout, done.status) == (warned, 0), done.stderr


def test_the_embedded_broker_knows_no_security_to_warn_of(run_tcl: RunTcl) -> None:
    done = run_tcl(WARNED, "enable.ssl.certificate.verification", "false", embedded=True, shell=KAFKATCLSH)
    assert (done.stdout, done.status) == ("", 0), done.stderr


def test_verification_is_on_by_default(run_everywhere: RunTcl) -> None:
    done = run_everywhere("""
        package require kafka
        kafka::kafka create m
        puts [dict get [m config] enable.ssl.certificate.verification]
        puts [dict get [m config] ssl.endpoint.identification.algorithm]
    """)
    assert done.stdout == "true\nhttps\n"
