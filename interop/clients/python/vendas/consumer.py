"""Prints the sales of a topic, one line each, from the first that its group has not seen; ends when none comes for a while."""

import json
import sys

from kafka import KafkaConsumer


def main(address, topic="comercial", group="meu-grupo"):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        value_deserializer=lambda value: json.loads(value.decode("utf-8")),
        consumer_timeout_ms=5000,
    )
    for message in consumer:
        sale = message.value
        print(f"{sale['vendaId']} {sale['vendedor']} {sale['valor']:.2f} {sale['formaPagamento']}", flush=True)
    consumer.close()


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main(*sys.argv[1:])
