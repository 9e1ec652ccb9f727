"""Copies the topic to OUTPUT in transactions with the positions inside, until SIGTERM; for each one a line with how many records it has."""
import faulthandler
import os
import signal
import threading

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
# librdkafka 2.x looks for a group's coordinator that has gone only when some connection comes up or goes down, and else waits for ever, as
# its calls of a transaction and of a group then do. The next life aborts what this one left open, and asks anew.
STUCK_SECONDS = 20
consumer = Consumer(
    {
        "bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"],
        "group.id": os.environ["GROUP"],
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 500,
    }
)
producer = Producer(
    {"bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"], "transactional.id": os.environ["TRANSACTIONAL_ID"], "linger.ms": 2}
)


def give_up():
    faulthandler.dump_traceback()
    os._exit(75)


def moving():
    """Nothing moves for too long after this: the end of this life."""
    global end
    end.cancel()
    end = threading.Timer(STUCK_SECONDS, give_up)
    end.daemon = True
    end.start()


end = threading.Timer(STUCK_SECONDS, give_up)
moving()


def persist(step):
    while True:
        try:
            return step()
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def process(batch):
    producer.begin_transaction()
    try:
        for message in batch:
            producer.produce(os.environ["OUTPUT"], key=message.key(), value=message.value())
        positions, group = consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
        producer.send_offsets_to_transaction(positions, group)
        persist(producer.commit_transaction)
    except KafkaException as error:
        if not error.args[0].txn_requires_abort():
            raise
        persist(producer.abort_transaction)
        for at in persist(lambda: consumer.committed(consumer.assignment(), 10)):
            consumer.seek(TopicPartition(at.topic, at.partition, max(0, at.offset)))
        return
    print(len(batch), flush=True)
    moving()


persist(producer.init_transactions)
consumer.subscribe([os.environ["TOPIC"]])
while not stopping:
    batch = [message for message in consumer.consume(100, 0.1) if not message.error()]
    if batch:
        process(batch)
consumer.close()
