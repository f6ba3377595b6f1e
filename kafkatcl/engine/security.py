"""The warning about a configuration that gives security up."""

from __future__ import annotations

from collections.abc import Iterator

from kafkatcl.librdkafka.conf import GlobalConf

_WARNING = 4


def warning(conf: GlobalConf) -> str:
    """The warning for a configuration, or an empty text.

    It is empty as well where ``log_level`` leaves warnings out.
    """
    words = iter(conf.dump())
    settings = dict(zip(words, words))
    if int(settings["log_level"]) < _WARNING:
        return ""
    return "; ".join([*_unverified(settings), *_in_plain_text(settings)])


def _unverified(settings: dict[str, str]) -> Iterator[str]:
    if settings["enable.ssl.certificate.verification"] == "false":
        yield "enable.ssl.certificate.verification is false: any server can pass for a broker"
    elif settings["ssl.endpoint.identification.algorithm"] == "none":
        yield (
            "ssl.endpoint.identification.algorithm is none: "
            "any server with a certificate of a known authority can pass for a broker"
        )


def _in_plain_text(settings: dict[str, str]) -> Iterator[str]:
    mechanism = settings["sasl.mechanisms"]
    has_password = mechanism == "PLAIN" or mechanism.startswith("SCRAM-")
    if has_password and settings["security.protocol"] == "sasl_plaintext":
        yield f"security.protocol is sasl_plaintext: the password ({mechanism}) goes over the network without TLS"
