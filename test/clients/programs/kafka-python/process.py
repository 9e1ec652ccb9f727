"""Copies the topic to OUTPUT in transactions with the positions inside, until SIGTERM; for each one a line with how many records it has."""
import logging
import os
import signal

from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata
from kafka.errors import KafkaError

logging.basicConfig(level=logging.WARNING)
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
# kafka-python 3.0.12 forgets a request of a transaction whose coordinator refuses the connection, and waits for its answer for ever: it has
# to be started again, and its next life aborts what the last one left open.
signal.signal(signal.SIGALRM, lambda *_: os._exit(75))
STUCK_SECONDS = 5

servers = os.environ["BOOTSTRAP_SERVERS"].split(",")
consumer = KafkaConsumer(
    bootstrap_servers=servers,
    group_id=os.environ["GROUP"],
    group_instance_id="processor",
    auto_offset_reset="earliest",
    enable_auto_commit=False,
    isolation_level="read_committed",
    session_timeout_ms=6000,
    heartbeat_interval_ms=500,
    max_poll_records=100,
)
producer = KafkaProducer(bootstrap_servers=servers, transactional_id=os.environ["TRANSACTIONAL_ID"], acks="all", linger_ms=2)


def process(polled):
    producer.begin_transaction()
    try:
        for record in (record for batch in polled.values() for record in batch):
            producer.send(os.environ["OUTPUT"], key=record.key, value=record.value)
        positions = {at: OffsetAndMetadata(batch[-1].offset + 1, "", -1) for at, batch in polled.items()}
        producer.send_offsets_to_transaction(positions, consumer.group_metadata())
        producer.commit_transaction()
    except KafkaError as error:
        logging.warning("aborted: %r", error)
        producer.abort_transaction()
        for at in consumer.assignment():
            consumer.seek(at, consumer.committed(at) or 0)
        return
    print(sum(len(batch) for batch in polled.values()), flush=True)


producer.init_transactions()
# As in consume.py.
consumer.partitions_for_topic(os.environ["TOPIC"])
consumer.subscribe([os.environ["TOPIC"]])
while not stopping:
    polled = consumer.poll(timeout_ms=100)
    if polled:
        signal.alarm(STUCK_SECONDS)
        process(polled)
        signal.alarm(0)
consumer.close()
producer.close()
