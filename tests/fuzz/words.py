"""The words of the grammar, sorted by what they go wrong with:
the source of one Tcl word in each line.
"""

from __future__ import annotations

from kafkatcl.librdkafka.conf import GlobalConf, TopicConf


def word(text: str) -> str:
    """``text`` as the source of one Tcl word, all ASCII."""
    plain = "".join(
        c if c.isascii() and (c.isalnum() or c in "_-.:/,#^()+* ") else f"\\u{ord(c):04x}" for c in text
    )
    return f'"{plain}"'


def _split(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


# Numbers that are none, or not of 32 bits, or written in another way: none of them is a
# long time.
INTEGERS = _split(r"""
    2147483648
    -2147483649
    9223372036854775807
    9223372036854775808
    18446744073709551616
    1e3
    0b1
    0x10
    010
    08
    { 5 }
    1.5
    NaN
    Inf
    -
    abc
    true
    {a b}
    {}
    "1\u0000"
    "\u0661"
    [string repeat 9 10000]
    [expr {3 + 4}]
    [binary format a1 1]
    [list 1]
    {1;exit}
""")
TEXTS = _split(r"""
    {}
    { }
    {[exit]}
    {$x}
    "\{"
    "\}"
    "a\\"
    "a\"b"
    "\n"
    "a\u0000b"
    "\u0000"
    "\u00ff\u0000\u00fe"
    "\u20ac"
    "\ufffe\uffff"
    "\ud800"
    "\udc00\ud800"
    "\ud83d\ude00"
    "\x1b\[31m"
    [encoding convertfrom utf-8 "\xf0\x9f\x98\x80"]
    {#auto}
    -timeout
    --
    %s%n
    [string repeat x 65536]
    [lrepeat 100 a]
    [dict create a 1 b 2]
    [binary format H* 00ff80c0]
    0x10
    [expr {1.0}]
    [string cat 1 0]
    [list a [list b c]]
""")
LISTS = _split(r"""
    {}
    a
    {a b c}
    "a \{"
    "a \"b"
    "{a}b"
    "\{a\} \} b"
    {a {}}
    {{} {}}
    [lrepeat 3000 x]
    [fuzz::Nested 1000]
    [dict create a 1 b 2 a 3]
    {a {b c} {d e f}}
    [list "a\u0000b" [list "\u0000" k]]
    [list [binary format a3 "a\u0000b"] c]
    [list a "\u20ac"]
    [list a [list b "\ud800"]]
    [list 1 [expr {2 + 3}] 0x10]
""")

TIMES = ("0", "1", "5", "20")
TOPIC_CHARACTERS = (
    "a b",
    "../x",
    ".",
    "..",
    "gr\u00fc\u00df",
    "\U0001f600",
    "a,b",
    "^(a+)+$",
    "^[",
    "^",
    "$",
    "*",
)
OBJECTS = ("m", "p", "c", "s", "tp", "tc", "q")
NAMES = (
    *("{}", "x", "::x", "a::b", "::a::b::c", ":::", "::", "victim", "{a b}", "{a;b}", "{[x]}", "-x", "{$x}"),
    *(r'"a\u0000b"', r'"\ud800"', r'"\u20ac"', r'"\n"', "[string repeat x 65536]", "fuzz::other", *OBJECTS),
)
CALLBACKS = _split("""
    fuzz::Note
    fuzz::Error
    fuzz::Break
    fuzz::Continue
    {fuzz::Return 7}
    {fuzz::Return -1}
    {fuzz::Kill p}
    {fuzz::Kill c}
    {fuzz::Kill s}
    {fuzz::Kill tc}
    {fuzz::Kill m}
    {fuzz::Kill q}
    fuzz::Vwait
    fuzz::Update
    fuzz::Recurse
    fuzz::Redefine
    {fuzz::Read tc}
    {fuzz::Start tc}
    nosuch
    {}
    { }
    #none
    "a \\{"
    [lrepeat 1000 fuzz::Note]
    {fuzz::Note {a b} "\\u0000"}
    {error [exit]}
    0x10
""")
CODES = _split(r"""
    {}
    {set fuzz::seen [array get row]}
    {error boom}
    {error boom info {A B}}
    {error ""}
    break
    continue
    return
    {return -code 7}
    {return -level 0 -code -2 x}
    {fuzz::Kill tc}
    {fuzz::Kill c}
    {fuzz::Kill m}
    {unset -nocomplain row}
    {catch {tc consume 0 0 other}}
    {catch {q consume_batch 0 10 row {}}}
    {catch {tc stop 0}}
    update
    {fuzz::Vwait}
    "\{"
    {puts stderr \u20ac}
    {$x}
    nosuch
""")
ARRAYS = _split(r"""
    {}
    scalar
    a(b)
    ::row
    ::nowhere::row
    fuzz::variables
    refusing
    refusing(payload)
    killing
    {a b}
    (
    "a\u0000b"
    "\ud800"
    env
    fields
    words
    <array>
    [string repeat x 1000]
""")
BROKERS = _split(r"""
    {}
    {{}}
    127.0.0.1:1
    {127.0.0.1:1 127.0.0.1:2}
    127.0.0.1:99999
    {[::1}
    {[::1]:1}
    ::1
    {127.0.0.1:1,,;:}
    -
    {,}
    "a \{"
    "a\u0000b"
    "\u20ac:1"
    :0
    127.0.0.1:-1
    ssl://127.0.0.1:1
    [lrepeat 200 127.0.0.1:1]
""")
PROPERTIES = sorted({*GlobalConf().dump()[::2], *TopicConf().dump()[::2]})
# Names of properties that have no value by default, and others that there are not.
MORE_PROPERTIES = (
    *("client.id", "group.id", "bootstrap.servers", "group.instance.id", "transactional.id", "sasl.password"),
    *(
        "ssl.key.pem",
        "ssl.ca.location",
        "max.block.ms",
        "error_cb",
        "stats_cb",
        "opaque",
        "default_topic_conf",
    ),
    *(
        "dr_msg_cb",
        "log_cb",
        "oauthbearer_token_refresh_cb",
        "no.such.property",
        "topic.blacklist",
        "plugin.x",
    ),
)
