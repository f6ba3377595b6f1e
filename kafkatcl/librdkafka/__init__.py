"""librdkafka, by both of its doors:
confluent-kafka, and ctypes for what that leaves out.

Nothing else imports confluent-kafka, and nothing but the prompt uses ctypes, for Tcl's
and readline's own libraries.  Through ctypes we reach the very library that
confluent-kafka has loaded: configuration dumps and checks, error names, live handles,
producing, and the mock cluster.

Links into the sources of librdkafka and of its wrapper name version 2.15.0, where the
code was read.  The tests hold what we rely on for the version that is installed.
"""

from kafkatcl.librdkafka import extension

#: The extension module of confluent-kafka.
EXTENSION = extension.load()
