"""Lines of key and value from standard input, produced in order; a line of JSON for each acknowledgement."""
import json
import logging
import os
import sys

from kafka import KafkaProducer

logging.basicConfig(level=logging.WARNING)
failures = []


def delivered(value):
    return lambda at: print(json.dumps({"partition": at.partition, "offset": at.offset, "value": value}), flush=True)


producer = KafkaProducer(
    bootstrap_servers=os.environ["BOOTSTRAP_SERVERS"].split(","), enable_idempotence=True, acks="all", linger_ms=2
)
for line in sys.stdin:
    key, value = line.rstrip("\n").split("\t")
    sent = producer.send(os.environ["TOPIC"], key=key.encode(), value=value.encode())
    sent.add_callback(delivered(value)).add_errback(failures.append)
producer.flush()
producer.close()
if failures:
    sys.exit(f"{len(failures)} records were refused: {failures[0]}")
