"""Reads the topic as a member of a group, from the beginning until SIGTERM; a line of JSON for each record."""
import json
import logging
import os
import signal

from kafka import KafkaConsumer

logging.basicConfig(level=logging.WARNING)
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
consumer = KafkaConsumer(
    os.environ["TOPIC"],
    bootstrap_servers=os.environ["BOOTSTRAP_SERVERS"].split(","),
    group_id=os.environ["GROUP"],
    auto_offset_reset="earliest",
    session_timeout_ms=6000,
    heartbeat_interval_ms=500,
)
while not stopping:
    for batch in consumer.poll(timeout_ms=200).values():
        for record in batch:
            place = {"partition": record.partition, "offset": record.offset}
            print(json.dumps({**place, "key": record.key.decode(), "value": record.value.decode()}), flush=True)
consumer.close()
