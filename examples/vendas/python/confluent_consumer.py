"""Prints the sales of a topic as a member of a group, from the first one that the group has not read, with confluent-kafka."""

import json

from confluent_kafka import Consumer, KafkaException

from sales import end_on_signals, options, print_sale


def main():
    o = options(__doc__)
    consumer = Consumer(
        {
            "bootstrap.servers": o.brokers,
            "group.id": o.group,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
        }
    )
    consumer.subscribe([o.topic])
    end_on_signals()
    try:
        while True:
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            print_sale(json.loads(message.value()))
    finally:
        consumer.close()


main()
