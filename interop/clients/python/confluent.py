"""confluent-kafka, which is librdkafka, against a broker: the version of today, and 2.0.2 of January 2023."""

import time
import warnings

import confluent_kafka
from checks import Checks, arguments, equal, eventually, raises, that
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

ADDRESS, PREFIX = arguments()
OLD = not hasattr(AdminClient, "delete_records")
PARTITIONS = 3
WAIT = 20  # seconds for one request

admin = AdminClient({"bootstrap.servers": ADDRESS})


def consumer(group=f"{PREFIX}-none", **config):
    base = {
        "bootstrap.servers": ADDRESS,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 500,
        "isolation.level": "read_uncommitted",
        "error_cb": lambda err: None,  # what matters comes with a poll
    }
    return Consumer(base | config)


def producer(**config):
    return Producer({"bootstrap.servers": ADDRESS, "error_cb": lambda err: None} | config)


def result(futures):
    """What the only one of these requests answers."""
    (future,) = futures.values()
    return future.result(timeout=WAIT)


def create(name, partitions=PARTITIONS, **configs):
    topic = f"{PREFIX}-{name}"
    result(admin.create_topics([NewTopic(topic, partitions, 1, config=configs)]))
    eventually(lambda: partition_count(topic) == partitions, f"{topic} is not there")
    return topic


def partition_count(topic):
    found = admin.list_topics(timeout=WAIT).topics.get(topic)
    return len(found.partitions) if found else 0


def send(topic, values, partition=0, **config):
    p = producer(**config)
    for value in values:
        p.produce(topic, value, partition=partition)
    flush(p)


def flush(p):
    equal(p.flush(WAIT), 0, "records that were not delivered in time")


def read(topic, **config):
    """All values of the topic, partition after partition, read by assignment from the beginning."""
    return [m.value().decode() for m in read_messages(topic, **config)]


def read_messages(topic, count=PARTITIONS, **config):
    c = consumer(**{"enable.partition.eof": True} | config)
    try:
        c.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(count)])
        ends = [end_offset(topic, p) for p in range(count)]
        messages, ended = [], set()

        def done():
            for m in c.consume(100, timeout=0.2):
                if m.error() is None:
                    messages.append(m)
                elif m.error().code() == KafkaError._PARTITION_EOF:
                    if m.offset() >= ends[m.partition()]:
                        ended.add(m.partition())
                else:
                    raise KafkaException(m.error())
            return len(ended) == count

        eventually(done, f"the end of {topic} is not reached; {len(messages)} records read")
        return sorted(messages, key=lambda m: (m.partition(), m.offset()))
    finally:
        c.close()


def end_offset(topic, partition):
    """The end for a reader of everything: for others it may still move, as the markers of transactions are written."""
    c = consumer()
    try:
        return c.get_watermark_offsets(TopicPartition(topic, partition), timeout=WAIT)[1]
    finally:
        c.close()


# --- topics ------------------------------------------------------------------------------------------------------------


def topics():
    topic = create("topics")
    raises(KafkaException, lambda: result(admin.create_topics([NewTopic(topic, 1, 1)])), "created twice")
    result(admin.create_partitions([NewPartitions(topic, 5)]))
    eventually(lambda: partition_count(topic) == 5, "the topic did not get 5 partitions")
    send(topic, ["in the new one"], partition=4)
    equal([(m.partition(), m.value()) for m in read_messages(topic, 5)], [(4, b"in the new one")], "records")
    result(admin.delete_topics([topic]))
    eventually(lambda: partition_count(topic) == 0, "the topic is listed after its deletion")


def configs():
    topic = create("configs", **{"retention.ms": "3600000"})
    equal(config_of(topic, "retention.ms"), "3600000", "retention.ms as created")
    alter([ConfigResource("topic", topic, set_config={"retention.ms": "7200000"})])
    eventually(lambda: config_of(topic, "retention.ms") == "7200000", "retention.ms is not what it was set to")


def alter(resources):
    with warnings.catch_warnings():  # there is a newer request, see incremental_configs; brokers answer the old one too
        warnings.simplefilter("ignore", DeprecationWarning)
        result(admin.alter_configs(resources))


def config_of(topic, name):
    return result(admin.describe_configs([ConfigResource("topic", topic)]))[name].value


def incremental_configs():
    """One setting changes and the others stay."""
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry

    topic = create("incremental", **{"retention.ms": "3600000"})
    entry = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
    result(admin.incremental_alter_configs([ConfigResource("topic", topic, incremental_configs=[entry])]))
    eventually(lambda: config_of(topic, "cleanup.policy") == "compact", "cleanup.policy is not what it was set to")
    equal(config_of(topic, "retention.ms"), "3600000", "the setting that was not touched")


# --- records -----------------------------------------------------------------------------------------------------------


def records(name, **config):
    """Keys, null values, headers and UTF-8 come back as they went, whatever batches they went in."""
    topic = create(f"records-{name}")
    want = [
        (i % PARTITIONS, f"key-{i}".encode(), None if i % 10 == 0 else f"ação {i} ".encode() * 20, [("n", str(i).encode())])
        for i in range(60)
    ]
    p = producer(**config)
    for partition, key, value, headers in want:
        p.produce(topic, value, key=key, headers=headers, partition=partition)
    flush(p)
    got = [(m.partition(), m.key(), m.value(), m.headers()) for m in read_messages(topic)]
    equal(got, sorted(want, key=lambda r: r[0]), "records")


def offsets():
    topic = create("offsets")
    p, begin = producer(), int(time.time() * 1000) - 60_000
    for i in range(10):
        p.produce(topic, b"v", partition=0, timestamp=begin + 1000 * i)
    flush(p)
    c = consumer()
    equal(c.get_watermark_offsets(TopicPartition(topic, 0), timeout=WAIT), (0, 10), "beginning and end")
    asked = [TopicPartition(topic, 0, begin + 3500), TopicPartition(topic, 2, begin)]
    found = c.offsets_for_times(asked, timeout=WAIT)
    equal(found[0].offset, 4, "first record 3.5 s later")
    equal(found[1].offset, confluent_kafka.OFFSET_END, "a time in an empty partition")
    c.close()


def delete_records():
    topic = create("delete-records")
    send(topic, [str(i) for i in range(10)])
    equal(result(admin.delete_records([TopicPartition(topic, 0, 4)])).low_watermark, 4, "low watermark")
    equal(read(topic), [str(i) for i in range(4, 10)], "values after deleting those before 4")


# --- groups ------------------------------------------------------------------------------------------------------------


class Member:
    """A consumer of a group; pump must be called again and again."""

    def __init__(self, topic, group, **config):
        self.c, self.values = consumer(group, **config), []
        self.c.subscribe([topic])

    def pump(self):
        for m in self.c.consume(100, timeout=0.1):
            if m.error() is not None:
                raise KafkaException(m.error())
            self.values.append(m.value().decode())
            self.c.commit(m, asynchronous=False)

    def assigned(self):
        return {p.partition for p in self.c.assignment()}


def groups(strategy):
    topic, group = create(f"groups-{strategy}"), f"{PREFIX}-group-{strategy}"
    config = {"partition.assignment.strategy": strategy}
    a, b = Member(topic, group, **config), Member(topic, group, **config)

    def pumped(condition, *members):
        for m in members:
            m.pump()
        return condition()

    eventually(lambda: pumped(lambda: shared(a.assigned(), b.assigned()), a, b), "two members do not share")
    for p in range(PARTITIONS):
        send(topic, [f"{p}-{i}" for i in range(5)], partition=p)
    eventually(lambda: pumped(lambda: len(a.values) + len(b.values) == 15, a, b), "not everything was read")
    equal(sorted(a.values + b.values), [f"{p}-{i}" for p in range(3) for i in range(5)], "values")
    described(group, members=2)
    a.c.close()
    eventually(lambda: pumped(lambda: b.assigned() == {0, 1, 2}, b), "the other member does not take over")
    b.c.close()
    committed_and_lag(topic, group)


def shared(a, b):
    """Each has something, and together they have every partition once."""
    return a and b and sorted([*a, *b]) == list(range(PARTITIONS))


def described(group, members):
    found = result(admin.describe_consumer_groups([group]))
    equal((found.state.name, len(found.members)), ("STABLE", members), "state and members")
    listed = admin.list_consumer_groups().result(timeout=WAIT)
    that(group in [g.group_id for g in listed.valid], "the group is not listed")


def committed_and_lag(topic, group):
    """A new member goes on at what was committed; then the empty group is deleted."""
    send(topic, ["later"], partition=1)
    found = result(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
    committed = {p.partition: p.offset for p in found.topic_partitions}
    equal(committed, {0: 5, 1: 5, 2: 5}, "committed offsets")
    m = Member(topic, group)
    lag = sum(m.c.get_watermark_offsets(TopicPartition(topic, p), timeout=WAIT)[1] - committed[p] for p in committed)
    equal(lag, 1, "lag")

    def read_on():
        m.pump()
        return m.values

    eventually(read_on, "nothing was read after a restart")
    m.c.close()
    equal(m.values, ["later"], "read after a restart")
    eventually(lambda: deleted(group), "the empty group cannot be deleted")


def deleted(group):
    try:
        return result(admin.delete_consumer_groups([group])) is None
    except KafkaException as err:
        if err.args[0].code() == KafkaError.NON_EMPTY_GROUP:  # the last member is still leaving
            return False
        raise


# --- transactions ------------------------------------------------------------------------------------------------------


def transactional(name):
    p = producer(**{"transactional.id": f"{PREFIX}-{name}"})
    p.init_transactions(WAIT)
    return p


def transactions():
    topic = create("transactions")
    p = transactional("tx")
    for value, end in [("committed", p.commit_transaction), ("aborted", p.abort_transaction), ("last", p.commit_transaction)]:
        p.begin_transaction()
        for partition in range(PARTITIONS):
            p.produce(topic, value, partition=partition)
        flush(p)
        end(WAIT)
    equal(read(topic, **{"isolation.level": "read_committed"}), ["committed", "last"] * 3, "read committed")
    equal(read(topic), ["committed", "aborted", "last"] * 3, "read uncommitted")


def exactly_once():
    """Consume, transform, produce: the group's offset and the output are one transaction."""
    source, target, group = create("source"), create("target"), f"{PREFIX}-transform"
    send(source, ["a", "b", "c"])
    p, c = transactional("transform"), consumer(group, **{"isolation.level": "read_committed", "session.timeout.ms": 30000})
    c.subscribe([source])
    batch = []

    def read_all():
        batch.extend(c.consume(100, timeout=0.2))
        return len(batch) == 3

    eventually(read_all, "the source is not read")
    for end in (p.abort_transaction, p.commit_transaction):
        p.begin_transaction()
        for m in batch:
            p.produce(target, m.value().upper(), partition=0)
        p.send_offsets_to_transaction([TopicPartition(source, 0, 3)], c.consumer_group_metadata(), WAIT)
        end(WAIT)
    (committed,) = c.committed([TopicPartition(source, 0)], timeout=WAIT)
    equal(committed.offset, 3, "committed offset")
    c.close()
    equal(read(target, **{"isolation.level": "read_committed"}), ["A", "B", "C"], "target")


def fenced():
    topic = create("fenced")
    zombie = transactional("fenced")
    zombie.begin_transaction()
    zombie.produce(topic, b"zombie", partition=0)
    flush(zombie)
    heir = transactional("fenced")
    try:
        zombie.produce(topic, b"zombie", partition=0)
        zombie.commit_transaction(WAIT)
    except KafkaException as err:
        that(err.args[0].fatal(), f"not fatal: {err}")
    else:
        raise AssertionError("the fenced producer went on")
    heir.begin_transaction()
    heir.produce(topic, b"heir", partition=0)
    heir.commit_transaction(WAIT)
    equal(read(topic, **{"isolation.level": "read_committed"}), ["heir"], "read committed")


def main():
    check = Checks()
    check("topics", topics)
    check("configs", configs)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        check(f"records-{codec}", lambda c: records(c, **{"compression.type": c, "linger.ms": 5}), codec)
    check("records-idempotent", lambda: records("idempotent", **{"enable.idempotence": True}))
    check("offsets", offsets)
    for strategy in ("range", "cooperative-sticky"):
        check(f"groups-{strategy}", groups, strategy)
    check("transactions", transactions)
    check("exactly-once", exactly_once)
    check("fenced", fenced)
    if not OLD:
        check("incremental-configs", incremental_configs)
        check("delete-records", delete_records)
    check.exit()


main()
