"""librdkafka, by both of its doors:
confluent-kafka, and ctypes for what that leaves out.

Nothing else imports confluent-kafka, and nothing but the prompt uses ctypes, for Tcl's
and readline's own libraries. Through ctypes we reach the very library that
confluent-kafka has loaded: configuration dumps and checks, error names, live handles,
producing, and the mock cluster.
"""
