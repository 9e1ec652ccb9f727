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
    bootstrap_servers=os.environ["BOOTSTRAP_SERVERS"].split(","),
    group_id=os.environ["GROUP"],
    auto_offset_reset="earliest",
    auto_commit_interval_ms=500,
    session_timeout_ms=6000,
    heartbeat_interval_ms=500,
)
# A member that joins before it knows the partitions joins again when it does, and kafka-python 3.0.12 forgets that second join when a poll
# ends in the middle of it: it stays without partitions for ever.
consumer.partitions_for_topic(os.environ["TOPIC"])
consumer.subscribe([os.environ["TOPIC"]])
while not stopping:
    for batch in consumer.poll(timeout_ms=200).values():
        for record in batch:
            place = {"partition": record.partition, "offset": record.offset}
            print(json.dumps({**place, "key": record.key.decode(), "value": record.value.decode()}), flush=True)
consumer.close()
