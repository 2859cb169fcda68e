"""What the programs of this directory share: the five sales, the options, and how a consumer prints a sale and ends."""

import argparse
import signal
import sys

SALES = [
    {"vendaId": "50001", "vendedor": "ana.silva", "valor": 120.50, "formaPagamento": "PIX"},
    {"vendaId": "50002", "vendedor": "joao.souza", "valor": 80.00, "formaPagamento": "Crédito"},
    {"vendaId": "50003", "vendedor": "maria.lima", "valor": 230.90, "formaPagamento": "Débito"},
    {"vendaId": "50004", "vendedor": "carlos.pereira", "valor": 45.75, "formaPagamento": "Dinheiro"},
    {"vendaId": "50005", "vendedor": "lucas.almeida", "valor": 150.00, "formaPagamento": "PIX"},
]


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--brokers", default="localhost:9092", help="addresses of brokers, host:port,… (default %(default)s)")
    parser.add_argument("--topic", default="comercial", help="topic of the sales (default %(default)s)")
    parser.add_argument("--group", default="meu-grupo", help="group of a consumer (default %(default)s)")
    return parser.parse_args()


def print_sale(sale):
    print(f"{sale['vendaId']} {sale['vendedor']} {sale['valor']:.2f} {sale['formaPagamento']}", flush=True)


def end_on_signals():
    """Makes Ctrl-C and a kill end the program in order, so that a consumer can commit and leave its group."""
    sys.stdout.reconfigure(encoding="utf-8")
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda *_: sys.exit())
