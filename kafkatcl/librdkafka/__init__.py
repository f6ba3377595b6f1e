"""librdkafka, by both of its doors: confluent-kafka, and ctypes for what that leaves out.

Nothing else in the package imports either, but for ctypes where Tcl's and readline's own libraries are called.  Through
ctypes we reach the very library that confluent-kafka has loaded: configuration dumps and checks, error names, live
handles, and the mock cluster.
"""
