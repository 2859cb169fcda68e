"""kafka-python against a broker: the version of today, and 2.0.2 of 2020, which has neither transactions nor idempotence."""

import threading
import time

import kafka
from checks import Checks, arguments, equal, eventually, raises, that
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata

ADDRESS, PREFIX = arguments()
OLD = kafka.__version__.startswith("2.0.")
PARTITIONS = 3
# A poll that ends in the middle of joining a group may lose what is answered (seen with 3.0.12), so that the member waits
# for nothing: polls of members are long enough to join in.
JOINED = 2000


def consumer(**config):
    config.setdefault("auto_offset_reset", "earliest")
    config.setdefault("enable_auto_commit", False)
    return KafkaConsumer(bootstrap_servers=ADDRESS, **config)


def producer(**config):
    if not OLD:
        config.setdefault("enable_idempotence", False)
    return KafkaProducer(bootstrap_servers=ADDRESS, acks="all", **config)


def create(name, partitions=PARTITIONS, **configs):
    topic = f"{PREFIX}-{name}"
    with_admin(lambda a: a.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)]))
    eventually(lambda: partition_count(topic) == partitions, f"{topic} is not there")
    return topic


def with_admin(act):
    admin = KafkaAdminClient(bootstrap_servers=ADDRESS)
    try:
        return act(admin)
    finally:
        admin.close()


def partition_count(topic):
    found = with_admin(lambda a: a.describe_topics([topic]))
    return len(found[0].get("partitions", []))


def partitions(topic, count=PARTITIONS):
    return [TopicPartition(topic, p) for p in range(count)]


def send(topic, values, partition=0, **config):
    with_producer(lambda p: [p.send(topic, v.encode(), partition=partition) for v in values], **config)


def with_producer(act, **config):
    p = producer(**config)
    try:
        sent = act(p)
        p.flush(timeout=20)
        return [s.get(timeout=20) for s in sent]
    finally:
        p.close(timeout=5)


def read(topic, **config):
    """All values of the topic, partition after partition, read by assignment from the beginning."""
    return [r.value.decode() for r in read_records(topic, **config)]


def read_records(topic, count=PARTITIONS, **config):
    c = consumer(**config)
    try:
        all_of_it = partitions(topic, count)
        c.assign(all_of_it)
        c.seek_to_beginning(*all_of_it)
        ends = end_offsets(all_of_it)
        records = []

        def done():
            for batch in c.poll(timeout_ms=200).values():
                records.extend(batch)
            return all(c.position(p) >= ends[p] for p in all_of_it)

        eventually(done, f"the end of {topic} is not reached; {len(records)} records read")
        return sorted(records, key=lambda r: (r.partition, r.offset))
    finally:
        c.close()


def end_offsets(where):
    """The ends for a reader of everything: for others an end may still move, as the markers of transactions are written."""
    c = consumer()
    try:
        return c.end_offsets(where)
    finally:
        c.close()


# --- topics ------------------------------------------------------------------------------------------------------------


def topics():
    topic = create("topics")
    that(topic in with_admin(lambda a: a.list_topics()), "the topic is not listed")
    raises(errors.TopicAlreadyExistsError, lambda: with_admin(lambda a: a.create_topics([NewTopic(topic, 1, 1)])), "created twice")
    with_admin(lambda a: a.create_partitions({topic: NewPartitions(5)}))
    eventually(lambda: partition_count(topic) == 5, "the topic did not get 5 partitions")
    send(topic, ["in the new one"], partition=4)
    equal([(r.partition, r.value) for r in read_records(topic, 5)], [(4, b"in the new one")], "records")
    with_admin(lambda a: a.delete_topics([topic]))
    eventually(lambda: topic not in with_admin(lambda a: a.list_topics()), "the topic is listed after its deletion")


def configs():
    topic = create("configs", **{"retention.ms": "3600000"})
    equal(config_of(topic, "retention.ms"), "3600000", "retention.ms as created")
    change = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "7200000"})
    with_admin(lambda a: a.alter_configs([change]))
    eventually(lambda: config_of(topic, "retention.ms") == "7200000", "retention.ms is not what it was set to")


def config_of(topic, name):
    answer = with_admin(lambda a: a.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))
    if not OLD:
        return answer["topic"][topic][name]["value"]
    (_, _, _, _, entries) = answer[0].resources[0]
    return next(e[1] for e in entries if e[0] == name)


# --- records -----------------------------------------------------------------------------------------------------------


def records(name, **config):
    """Keys, null values, headers and UTF-8 come back as they went, whatever batches they went in."""
    topic = create(f"records-{name}")
    want = [
        (i % PARTITIONS, f"key-{i}".encode(), None if i % 10 == 0 else f"ação {i} ".encode() * 20, [("n", str(i).encode())])
        for i in range(60)
    ]

    def send_all(p):
        return [p.send(topic, value, key=key, headers=headers, partition=part) for part, key, value, headers in want]

    with_producer(send_all, **config)
    got = [(r.partition, r.key, r.value, list(r.headers)) for r in read_records(topic)]
    equal(got, sorted(want, key=lambda r: r[0]), "records")


def offsets():
    topic = create("offsets")
    begin = int(time.time() * 1000) - 60_000
    with_producer(lambda p: [p.send(topic, b"v", partition=0, timestamp_ms=begin + 1000 * i) for i in range(10)])
    first, last = TopicPartition(topic, 0), TopicPartition(topic, 2)
    c = consumer()
    try:
        equal(c.beginning_offsets([first, last]), {first: 0, last: 0}, "beginnings")
        equal(c.end_offsets([first, last]), {first: 10, last: 0}, "ends")
        found = c.offsets_for_times({first: begin + 3500, last: begin})
        equal((found[first].offset, found[first].timestamp), (4, begin + 4000), "first record 3.5 s later")
        equal(found[last], None, "a time in an empty partition")
        equal(c.offsets_for_times({first: begin + 9001})[first], None, "a time after the last record")
    finally:
        c.close()


def delete_records():
    topic = create("delete-records")
    send(topic, [str(i) for i in range(10)])
    with_admin(lambda a: a.delete_records({TopicPartition(topic, 0): 4}))
    equal(read(topic), [str(i) for i in range(4, 10)], "values after deleting those before 4")
    c = consumer()
    equal(c.beginning_offsets([TopicPartition(topic, 0)]), {TopicPartition(topic, 0): 4}, "beginning")
    c.close()


# --- versions ----------------------------------------------------------------------------------------------------------


def pins():
    """Versions of Kafka that a client can be configured for: the oldest that Kafka 4 still serves, and all newer ones."""
    from kafka.protocol.broker_version_data import BROKER_API_VERSIONS

    return sorted(v for v in BROKER_API_VERSIONS if v >= (2, 1))


def pinned(version):
    """A client that is configured for a version of Kafka does not ask the broker what it knows."""
    name = ".".join(map(str, version))
    topic = create(f"pinned-{name}")
    with_producer(lambda p: [p.send(topic, str(i).encode(), partition=i % PARTITIONS) for i in range(9)], api_version=version)
    equal(sorted(read(topic, api_version=version)), [str(i) for i in range(9)], "read by assignment")
    group = f"{PREFIX}-pinned-{name}"
    c = consumer(group_id=group, api_version=version)
    try:
        c.subscribe([topic])
        seen = []

        def done():
            for batch in c.poll(timeout_ms=JOINED, max_records=9).values():
                seen.extend(r.value.decode() for r in batch)
            return len(seen) >= 9

        eventually(done, f"a member has read {len(seen)} of 9 records")
        c.commit()
        equal(sum(c.committed(p) or 0 for p in partitions(topic)), 9, "committed")
        beginning = c.offsets_for_times({p: 0 for p in partitions(topic)})
        equal({o.offset for o in beginning.values()}, {0}, "offsets by time")
    finally:
        c.close()


# --- groups ------------------------------------------------------------------------------------------------------------


class Member(threading.Thread):
    """A consumer in a thread of its own, since joining a group waits for the others. The thread alone touches the consumer."""

    def __init__(self, topic, group):
        super().__init__(daemon=True)
        self.c = consumer(group_id=group, session_timeout_ms=6000, heartbeat_interval_ms=500, client_id=f"{PREFIX}-member")
        self.c.subscribe([topic])
        self.assigned, self.values, self.leaving = set(), [], threading.Event()
        self.error = None
        self.start()

    def run(self):
        try:
            while not self.leaving.is_set():
                for batch in self.c.poll(timeout_ms=JOINED).values():
                    self.values.extend(r.value.decode() for r in batch)
                    self.c.commit()
                self.assigned = {p.partition for p in self.c.assignment()}
        except Exception as err:
            self.error = err
        finally:
            self.c.close()

    def leave(self):
        self.leaving.set()
        self.join(timeout=20)
        if self.error:
            raise self.error


def groups():
    topic, group = create("groups"), f"{PREFIX}-group"
    a, b = Member(topic, group), Member(topic, group)
    eventually(lambda: shared(a.assigned, b.assigned), "two members do not share")
    for p in range(PARTITIONS):
        send(topic, [f"{p}-{i}" for i in range(5)], partition=p)
    eventually(lambda: len(a.values) + len(b.values) == 15, "not everything was read")
    equal(sorted(a.values + b.values), [f"{p}-{i}" for p in range(3) for i in range(5)], "values")
    described(group, members=2)
    a.leave()
    eventually(lambda: b.assigned == {0, 1, 2}, "the other member does not take over")
    b.leave()
    committed_and_lag(topic, group)


def shared(a, b):
    """Each has something, and together they have every partition once."""
    return a and b and sorted([*a, *b]) == list(range(PARTITIONS))


def described(group, members):
    if OLD:
        (found,) = with_admin(lambda a: a.describe_consumer_groups([group]))
        equal((found.state, len(found.members)), ("Stable", members), "state and members")
        that((group, "consumer") in with_admin(lambda a: a.list_consumer_groups()), "the group is not listed")
        return
    found = with_admin(lambda a: a.describe_groups([group]))[group]
    equal((found["group_state"], len(found["members"])), ("Stable", members), "state and members")
    that(group in [g["group_id"] for g in with_admin(lambda a: a.list_groups())], "the group is not listed")


def committed_and_lag(topic, group):
    """A new member goes on at what was committed; then the empty group is deleted."""
    send(topic, ["later"], partition=1)
    c = consumer(group_id=group)
    where = partitions(topic)
    equal([c.committed(p) for p in where], [5, 5, 5], "committed offsets")
    equal(sum(c.end_offsets(where)[p] - c.committed(p) for p in where), 1, "lag")
    c.close()
    m = Member(topic, group)
    eventually(lambda: m.values, "nothing was read after a restart")
    m.leave()
    equal(m.values, ["later"], "read after a restart")
    with_admin(lambda a: a.delete_consumer_groups([group]) if OLD else a.delete_groups([group]))
    c = consumer(group_id=group)
    equal(c.committed(where[0]), None, "committed in a deleted group")
    c.close()


# --- transactions ------------------------------------------------------------------------------------------------------


def transactional(name):
    p = producer(transactional_id=f"{PREFIX}-{name}", enable_idempotence=True)
    p.init_transactions()
    return p


def transactions():
    topic = create("transactions")
    p = transactional("tx")
    for value, end in [("committed", p.commit_transaction), ("aborted", p.abort_transaction), ("last", p.commit_transaction)]:
        p.begin_transaction()
        for partition in range(PARTITIONS):
            p.send(topic, value.encode(), partition=partition)
        p.flush()
        end()
    p.close()
    equal(read(topic, isolation_level="read_committed"), ["committed", "last"] * 3, "read committed")
    equal(read(topic), ["committed", "aborted", "last"] * 3, "read uncommitted")


def exactly_once():
    """Consume, transform, produce: the group's offset and the output are one transaction."""
    source, target, group = create("source"), create("target"), f"{PREFIX}-transform"
    send(source, ["a", "b", "c"])
    p = transactional("transform")
    c = consumer(group_id=group, isolation_level="read_committed")
    c.subscribe([source])
    batch = []

    def read_all():
        for records_ in c.poll(timeout_ms=JOINED).values():
            batch.extend(records_)
        return len(batch) == 3

    eventually(read_all, "the source is not read")
    for end in (p.abort_transaction, p.commit_transaction):
        p.begin_transaction()
        for r in batch:
            p.send(target, r.value.upper(), partition=0)
        where = TopicPartition(source, 0)
        p.send_offsets_to_transaction({where: OffsetAndMetadata(3, "", -1)}, c.group_metadata())
        p.flush()
        end()
    # The markers are written after the answer to a commit, and only then the offset is there.
    eventually(lambda: c.committed(TopicPartition(source, 0)) == 3, "the committed offset is not 3")
    c.close()
    p.close()
    equal(read(target, isolation_level="read_committed"), ["A", "B", "C"], "target")


def fenced():
    topic = create("fenced")
    zombie = transactional("fenced")
    zombie.begin_transaction()
    zombie.send(topic, b"zombie", partition=0).get(timeout=20)
    heir = transactional("fenced")
    heir.begin_transaction()
    heir.send(topic, b"heir", partition=0).get(timeout=20)
    heir.commit_transaction()
    heir.close()

    def go_on():
        zombie.send(topic, b"zombie", partition=0).get(timeout=20)
        zombie.commit_transaction()

    raises((errors.InvalidProducerEpochError, errors.ProducerFencedError), go_on, "the fenced producer went on")
    zombie.close(timeout=1)
    eventually(lambda: read(topic, isolation_level="read_committed") == ["heir"], "read committed is not what the heir wrote")


def main():
    check = Checks()
    check("topics", topics)
    check("configs", configs)
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        name = codec or "plain"
        check(f"records-{name}", lambda n, c: records(n, compression_type=c, linger_ms=5), name, codec)
    check("offsets", offsets)
    check("groups", groups)
    if not OLD:
        for version in pins():
            check("pinned-" + ".".join(map(str, version)), pinned, version)
        check("records-idempotent", lambda: records("idempotent", enable_idempotence=True))
        check("delete-records", delete_records)
        check("transactions", transactions)
        check("exactly-once", exactly_once)
        check("fenced", fenced)
    check.exit()


main()
