"""Sends five sales to a topic as JSON, with confluent-kafka."""

import json

from confluent_kafka import Producer

from sales import SALES, options


def main():
    o = options(__doc__)
    producer = Producer({"bootstrap.servers": o.brokers})
    for sale in SALES:
        producer.produce(o.topic, json.dumps(sale, ensure_ascii=False).encode("utf-8"))
    producer.flush()


main()
