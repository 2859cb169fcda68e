"""Runs the producer and the consumer of sales, each a process, and checks what the consumer prints."""

import pathlib
import subprocess
import sys

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent))
from checks import Checks, arguments, equal, eventually  # noqa: E402

ADDRESS, PREFIX = arguments()
TOPIC, GROUP = f"{PREFIX}-comercial", f"{PREFIX}-meu-grupo"
WANT = """\
50001 ana.silva 120.50 PIX
50002 joao.souza 80.00 Crédito
50003 maria.lima 230.90 Débito
50004 carlos.pereira 45.75 Dinheiro
50005 lucas.almeida 150.00 PIX
"""


def program(name, *args):
    run = [sys.executable, HERE / name, ADDRESS, TOPIC, *args]
    done = subprocess.run(run, capture_output=True, encoding="utf-8", timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"{name}: {done.stderr.splitlines()[-1:]}")
    return done.stdout


def create_topic():
    admin = KafkaAdminClient(bootstrap_servers=ADDRESS)
    admin.create_topics([NewTopic(TOPIC, 1, 1)])
    eventually(lambda: TOPIC in admin.list_topics(), "the topic is not listed")
    admin.close()


def sales():
    program("producer.py")
    equal(program("consumer.py", GROUP), WANT, "sales")


def sales_once():
    """The group has committed: only what came later is read by its next consumer."""
    program("producer.py")
    equal(program("consumer.py", GROUP), WANT, "later sales")


def other_group():
    equal(program("consumer.py", f"{GROUP}-2"), WANT * 2, "sales of another group")


def main():
    check = Checks()
    check("topic", create_topic)
    check("sales", sales)
    check("sales-once", sales_once)
    check("other-group", other_group)
    check.exit()


main()
