"""Runs the producer and the consumer of sales of examples/vendas, each a process, and checks what the consumer prints."""

import pathlib
import subprocess
import sys

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from checks import Checks, arguments, equal, eventually

PROGRAMS = pathlib.Path(__file__).parents[3] / "examples" / "vendas" / "python"
ADDRESS, PREFIX = arguments()
TOPIC, GROUP = f"{PREFIX}-comercial", f"{PREFIX}-meu-grupo"
WANT = """\
50001 ana.silva 120.50 PIX
50002 joao.souza 80.00 Crédito
50003 maria.lima 230.90 Débito
50004 carlos.pereira 45.75 Dinheiro
50005 lucas.almeida 150.00 PIX
"""



def create_topic():
    admin = KafkaAdminClient(bootstrap_servers=ADDRESS)
    admin.create_topics([NewTopic(TOPIC, 1, 1)])
    eventually(lambda: TOPIC in admin.list_topics(), "the topic is not listed")
    admin.close()


def produce():
    command = [sys.executable, PROGRAMS / "producer.py", "--brokers", ADDRESS, "--topic", TOPIC]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"producer.py: {done.stderr.splitlines()[-1:]}")


def consume(group, lines):
    """Ends a consumer once it has printed a number of lines, and returns all that it has printed by then."""
    command = [sys.executable, PROGRAMS / "consumer.py", "--brokers", ADDRESS, "--topic", TOPIC, "--group", group]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as consumer:
        printed = "".join(consumer.stdout.readline() for _ in range(lines))
        consumer.terminate()
        return printed + consumer.stdout.read()


def committed(group):
    consumer = KafkaConsumer(bootstrap_servers=ADDRESS, group_id=group)
    try:
        return consumer.committed(TopicPartition(TOPIC, 0))
    finally:
        consumer.close()


def sales():
    produce()
    equal(consume(GROUP, 5), WANT, "sales")
    equal(committed(GROUP), 5, "committed offset")


def sales_once():
    """The group has committed: only what came later is read by its next consumer."""
    produce()
    equal(consume(GROUP, 5), WANT, "later sales")
    equal(committed(GROUP), 10, "committed offset")


def other_group():
    equal(consume(f"{GROUP}-2", 10), WANT * 2, "sales of another group")


def main():
    check = Checks()
    check("topic", create_topic)
    check("sales", sales)
    check("sales-once", sales_once)
    check("other-group", other_group)
    check.exit()


main()
