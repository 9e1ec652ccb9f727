"""Reads the topic as a member of a group, from the beginning until SIGTERM; a line of JSON for each record."""
import json
import os
import signal
import sys

from confluent_kafka import Consumer

stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
consumer = Consumer(
    {
        "bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"],
        "group.id": os.environ["GROUP"],
        "auto.offset.reset": "earliest",
        "auto.commit.interval.ms": 500,
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 500,
    }
)
consumer.subscribe([os.environ["TOPIC"]])
while not stopping:
    message = consumer.poll(0.2)
    if message is None:
        continue
    if message.error():
        print(message.error(), file=sys.stderr)
        continue
    record = {"partition": message.partition(), "offset": message.offset()}
    print(json.dumps({**record, "key": message.key().decode(), "value": message.value().decode()}), flush=True)
consumer.close()
