"""An election of the type that is named, for the partitions that are named, or for all: a line of JSON with what came of each."""
import json
import os
import sys

from confluent_kafka import ElectionType, TopicPartition
from confluent_kafka.admin import AdminClient

kind, *named = sys.argv[1:]
partitions = [TopicPartition(topic, int(index)) for topic, index in (name.rsplit("-", 1) for name in named)] or None
admin = AdminClient({"bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"]})
outcomes = admin.elect_leaders(ElectionType[kind], partitions).result()
print(json.dumps({f"{p.topic}-{p.partition}": error.name() if error else None for p, error in outcomes.items()}))
