"""Prints the sales of a topic as a member of a group, from the first one that the group has not read, with kafka-python."""

import json

from kafka import KafkaConsumer

from sales import end_on_signals, options, print_sale


def main():
    o = options(__doc__)
    consumer = KafkaConsumer(
        o.topic,
        bootstrap_servers=o.brokers,
        group_id=o.group,
        auto_offset_reset="earliest",
        value_deserializer=lambda value: json.loads(value.decode("utf-8")),
    )
    end_on_signals()
    try:
        for message in consumer:
            print_sale(message.value)
    finally:
        consumer.close()


main()
