"""Lines of key and value from standard input, produced in order; a line of JSON for each acknowledgement."""
import json
import os
import sys

from confluent_kafka import Producer

failures = []


def delivered(error, message):
    if error is not None:
        failures.append(error)
        return
    value = message.value().decode()
    print(json.dumps({"partition": message.partition(), "offset": message.offset(), "value": value}), flush=True)


producer = Producer(
    {
        "bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"],
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 2,
    }
)
for line in sys.stdin:
    key, value = line.rstrip("\n").split("\t")
    producer.produce(os.environ["TOPIC"], key=key, value=value, on_delivery=delivered)
    producer.poll(0)
producer.flush()
if failures:
    sys.exit(f"{len(failures)} records were refused: {failures[0]}")
