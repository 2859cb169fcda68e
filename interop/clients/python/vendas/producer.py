"""Five sales go to a topic as JSON. The broker may be any that speaks Kafka's protocol."""

import json
import sys

from kafka import KafkaProducer

SALES = [
    {"vendaId": "50001", "vendedor": "ana.silva", "valor": 120.50, "formaPagamento": "PIX"},
    {"vendaId": "50002", "vendedor": "joao.souza", "valor": 80.00, "formaPagamento": "Crédito"},
    {"vendaId": "50003", "vendedor": "maria.lima", "valor": 230.90, "formaPagamento": "Débito"},
    {"vendaId": "50004", "vendedor": "carlos.pereira", "valor": 45.75, "formaPagamento": "Dinheiro"},
    {"vendaId": "50005", "vendedor": "lucas.almeida", "valor": 150.00, "formaPagamento": "PIX"},
]


def main(address, topic="comercial"):
    producer = KafkaProducer(
        bootstrap_servers=address,
        value_serializer=lambda sale: json.dumps(sale, ensure_ascii=False).encode("utf-8"),
    )
    for sale in SALES:
        producer.send(topic, sale)
    producer.flush()
    producer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
