"""The ctypes view of the very librdkafka that confluent-kafka has loaded.

Nothing else in the package uses ctypes.  confluent-kafka speaks to Kafka; this package reaches what its Python
interface leaves out: configuration dumps and checks, error names, live handles, and the mock cluster.
"""
