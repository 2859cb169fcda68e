"""Sends five sales to a topic as JSON, with kafka-python."""

import json

from kafka import KafkaProducer

from sales import SALES, options


def main():
    o = options(__doc__)
    producer = KafkaProducer(
        bootstrap_servers=o.brokers,
        value_serializer=lambda sale: json.dumps(sale, ensure_ascii=False).encode("utf-8"),
    )
    for sale in SALES:
        producer.send(o.topic, sale)
    producer.flush()
    producer.close()


main()
