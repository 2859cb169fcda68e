import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Kafka's own client against a broker. It uses nothing that 2.8 of 2021 lacks or that the version of today has dropped. */
public class JavaClient {
    static final int PARTITIONS = 3;

    static String prefix;
    static Admin admin;

    public static void main(String[] args) {
        if (args.length != 2) {
            System.err.println("usage: JavaClient ADDRESS PREFIX");
            System.exit(2);
        }
        Records.address = args[0];
        prefix = args[1];
        admin = Admin.create(Map.of("bootstrap.servers", args[0]));
        Checks.check("topics", JavaClient::topics);
        Checks.check("configs", JavaClient::configs);
        for (var codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            Checks.check("records-" + codec, () -> records(codec, Map.of("compression.type", codec, "linger.ms", 5, "enable.idempotence", false)));
        }
        Checks.check("records-idempotent", () -> records("idempotent", Map.of("enable.idempotence", true)));
        Checks.check("offsets", JavaClient::offsets);
        Checks.check("delete-records", JavaClient::deleteRecords);
        for (var assignor : List.of(RangeAssignor.class, CooperativeStickyAssignor.class)) {
            var name = assignor.getSimpleName().replace("Assignor", "").toLowerCase();
            Checks.check("groups-" + name, () -> groups(name, Map.of("partition.assignment.strategy", assignor.getName())));
        }
        Checks.check("static-member", JavaClient::staticMember);
        Checks.check("transactions", JavaClient::transactions);
        Checks.check("exactly-once", JavaClient::exactlyOnce);
        Checks.check("fenced", JavaClient::fenced);
        System.exit(Checks.failed == 0 ? 0 : 1);
    }

    // --- topics --------------------------------------------------------------------------------------------------------

    static void topics() throws Exception {
        var topic = create("topics");
        Checks.raises(() -> admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get(), TopicExistsException.class);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        Records.send(topic, 4, "in the new one");
        Checks.eventually(() -> partitionCount(topic) == 5, "the topic did not get 5 partitions");
        Checks.equal(Records.read(topic, 5, Map.of()), List.of("in the new one"), "values");
        admin.deleteTopics(List.of(topic)).all().get();
        Checks.eventually(() -> partitionCount(topic) == 0, "the topic is listed after its deletion");
    }

    static String create(String name) throws Exception {
        return create(name, Map.of());
    }

    static String create(String name, Map<String, String> configs) throws Exception {
        var topic = prefix + "-" + name;
        admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1).configs(configs))).all().get();
        Checks.eventually(() -> partitionCount(topic) == PARTITIONS, topic + " is not there");
        return topic;
    }

    /** The number of partitions; 0 for a topic that is not there. */
    static int partitionCount(String topic) throws Exception {
        try (var consumer = Records.consumer(Map.of())) {
            return consumer.listTopics().getOrDefault(topic, List.of()).size();
        }
    }

    static void configs() throws Exception {
        var topic = create("configs", Map.of("retention.ms", "3600000"));
        Checks.equal(config(topic, "retention.ms"), "3600000", "retention.ms as created");
        var change = new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(change))).all().get();
        Checks.eventually(() -> config(topic, "cleanup.policy").equals("compact"), "cleanup.policy is not what it was set to");
        Checks.equal(config(topic, "retention.ms"), "3600000", "the setting that was not touched");
    }

    static String config(String topic, String name) throws Exception {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value();
    }

    // --- records -------------------------------------------------------------------------------------------------------

    /** Keys, null values, headers and UTF-8 come back as they went, whatever batches they went in. */
    static void records(String name, Map<String, ?> config) throws Exception {
        var topic = create("records-" + name);
        var want = new ArrayList<String>();
        try (var producer = Records.producer(config)) {
            for (int i = 0; i < 60; i++) {
                var value = i % 10 == 0 ? null : ("ação " + i + " ").repeat(20);
                Header header = new RecordHeader("n", String.valueOf(i).getBytes(StandardCharsets.UTF_8));
                producer.send(new ProducerRecord<>(topic, i % PARTITIONS, "key-" + i, value, List.of(header)));
                want.add(i % PARTITIONS + " key-" + i + " " + value + " " + i);
            }
        }
        want.sort(Comparator.comparing(s -> s.charAt(0))); // by partition
        var got = Records.readRecords(topic, PARTITIONS, Map.of()).stream()
                .map(r -> r.partition() + " " + r.key() + " " + r.value() + " " + new String(r.headers().lastHeader("n").value()))
                .collect(Collectors.toList());
        Checks.equal(got, want, "records");
    }

    static void offsets() throws Exception {
        var topic = create("offsets");
        long begin = System.currentTimeMillis() - 60_000;
        try (var producer = Records.producer(Map.of())) {
            for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>(topic, 0, begin + 1000 * i, "k", "v"));
        }
        var first = new TopicPartition(topic, 0);
        var last = new TopicPartition(topic, 2);
        Checks.equal(offset(first, OffsetSpec.earliest()), 0L, "beginning");
        Checks.equal(offset(first, OffsetSpec.latest()), 10L, "end");
        Checks.equal(offset(first, OffsetSpec.forTimestamp(begin + 3500)), 4L, "first record 3.5 s later");
        Checks.equal(offset(last, OffsetSpec.forTimestamp(begin)), -1L, "a time in an empty partition");
        try (var consumer = Records.consumer(Map.of())) {
            var found = consumer.offsetsForTimes(Map.of(first, begin + 4000, last, begin));
            Checks.equal(found.get(first).offset() + " at " + found.get(first).timestamp(), "4 at " + (begin + 4000), "first record 4 s later");
            Checks.equal(found.get(last), null, "a time in an empty partition");
        }
    }

    static long offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    static void deleteRecords() throws Exception {
        var topic = create("delete-records");
        Records.send(topic, 0, "0", "1", "2", "3");
        var partition = new TopicPartition(topic, 0);
        var deleted = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(2)));
        Checks.equal(deleted.lowWatermarks().get(partition).get().lowWatermark(), 2L, "low watermark");
        Checks.equal(offset(partition, OffsetSpec.earliest()), 2L, "beginning");
        Checks.equal(read(topic), List.of("2", "3"), "values");
    }

    // --- groups --------------------------------------------------------------------------------------------------------

    /** A consumer of a group and what it has read; every poll commits. */
    static class Member implements AutoCloseable {
        final KafkaConsumer<String, String> consumer;
        final List<String> values = new ArrayList<>();

        Member(String topic, String group, Map<String, ?> config) {
            consumer = Records.consumer(Records.merge(Map.of("group.id", group, "session.timeout.ms", 6000, "heartbeat.interval.ms", 500), config));
            consumer.subscribe(List.of(topic));
        }

        void poll() {
            var records = consumer.poll(Duration.ofMillis(100));
            records.forEach(r -> values.add(r.value()));
            if (!records.isEmpty()) consumer.commitSync();
        }

        Set<Integer> assigned() {
            return consumer.assignment().stream().map(TopicPartition::partition).collect(Collectors.toCollection(TreeSet::new));
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    static void groups(String name, Map<String, ?> config) throws Exception {
        var topic = create("groups-" + name);
        var group = prefix + "-group-" + name;
        var a = new Member(topic, group, config);
        var b = new Member(topic, group, config);
        try (a; b) {
            Checks.eventually(() -> shared(a, b), "two members do not share");
            for (int p = 0; p < PARTITIONS; p++) Records.send(topic, p, p + "-0", p + "-1");
            Checks.eventually(() -> polled(a, b) && a.values.size() + b.values.size() == 6, "not everything was read");
            var both = new TreeSet<>(a.values);
            both.addAll(b.values);
            Checks.equal(List.copyOf(both), List.of("0-0", "0-1", "1-0", "1-1", "2-0", "2-1"), "values");
            var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            Checks.equal(described.state() + " " + described.members().size(), "Stable 2", "state and members");
            var listed = admin.listConsumerGroups().all().get();
            Checks.equal(listed.stream().anyMatch(g -> g.groupId().equals(group)), true, "the group is listed");
            a.close();
            Checks.eventually(() -> polled(b) && b.assigned().size() == PARTITIONS, "the other member does not take over");
        }
        restart(topic, group, config);
        admin.deleteConsumerGroups(List.of(group)).all().get();
        Checks.equal(committed(group), Map.of(), "committed in a deleted group");
    }

    static boolean polled(Member... members) {
        Arrays.stream(members).forEach(Member::poll);
        return true;
    }

    /** Each has something, and together they have every partition once. */
    static boolean shared(Member a, Member b) {
        polled(a, b);
        var all = new ArrayList<>(a.assigned());
        all.addAll(b.assigned());
        all.sort(null);
        return !a.assigned().isEmpty() && !b.assigned().isEmpty() && all.equals(List.of(0, 1, 2));
    }

    /** A new member goes on at what was committed. */
    static void restart(String topic, String group, Map<String, ?> config) throws Exception {
        Records.send(topic, 1, "later");
        var offsets = committed(group);
        Checks.equal(offsets, Map.of(0, 2L, 1, 2L, 2, 2L), "committed offsets");
        Checks.equal(offset(new TopicPartition(topic, 1), OffsetSpec.latest()) - offsets.get(1), 1L, "lag");
        try (var member = new Member(topic, group, config)) {
            Checks.eventually(() -> polled(member) && !member.values.isEmpty(), "nothing was read after a restart");
            Checks.equal(member.values, List.of("later"), "read after a restart");
        }
    }

    static Map<Integer, Long> committed(String group) throws Exception {
        var offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        var committed = new HashMap<Integer, Long>();
        offsets.forEach((partition, offset) -> committed.put(partition.partition(), offset.offset()));
        return committed;
    }

    /** A static member that comes back within its session has its partitions again, and the other is not disturbed. */
    static void staticMember() throws Exception {
        var topic = create("static");
        var group = prefix + "-static";
        try (var a = new Member(topic, group, Map.of("group.instance.id", "a"));
                var b = new Member(topic, group, Map.of("group.instance.id", "b"))) {
            Checks.eventually(() -> shared(a, b), "two members do not share");
            var hadA = a.assigned();
            var hadB = b.assigned();
            a.close();
            try (var again = new Member(topic, group, Map.of("group.instance.id", "a"))) {
                Checks.eventually(() -> polled(again, b) && !again.assigned().isEmpty(), "the member that came back has nothing");
                Checks.equal(again.assigned(), hadA, "assigned to the member that came back");
                Checks.equal(b.assigned(), hadB, "assigned to the other");
            }
        }
    }

    // --- transactions --------------------------------------------------------------------------------------------------

    static KafkaProducer<String, String> transactional(String name) {
        var producer = Records.producer(Map.of("transactional.id", prefix + "-" + name));
        producer.initTransactions();
        return producer;
    }

    static void transactions() throws Exception {
        var topic = create("transactions");
        try (var producer = transactional("tx")) {
            for (var value : List.of("committed", "aborted", "last")) {
                producer.beginTransaction();
                for (int p = 0; p < PARTITIONS; p++) producer.send(new ProducerRecord<>(topic, p, "k", value));
                producer.flush();
                if (value.equals("aborted")) producer.abortTransaction();
                else producer.commitTransaction();
            }
        }
        var committed = List.of("committed", "last");
        Checks.equal(Records.read(topic, PARTITIONS, Records.COMMITTED), times(PARTITIONS, committed), "read committed");
        Checks.equal(read(topic), times(PARTITIONS, List.of("committed", "aborted", "last")), "read uncommitted");
    }

    /** Consume, transform, produce: the group's offset and the output are one transaction. */
    static void exactlyOnce() throws Exception {
        var source = create("source");
        var target = create("target");
        var group = prefix + "-transform";
        Records.send(source, 0, "a", "b", "c");
        try (var producer = transactional("transform"); var consumer = Records.consumer(Records.merge(Records.COMMITTED, Map.of("group.id", group)))) {
            consumer.subscribe(List.of(source));
            var input = new ArrayList<ConsumerRecord<String, String>>();
            Checks.eventually(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(input::add);
                return input.size() == 3;
            }, "the source is not read");
            for (var commit : List.of(false, true)) {
                producer.beginTransaction();
                input.forEach(r -> producer.send(new ProducerRecord<>(target, 0, r.key(), r.value().toUpperCase())));
                var position = Map.of(new TopicPartition(source, 0), new OffsetAndMetadata(3));
                producer.sendOffsetsToTransaction(position, consumer.groupMetadata());
                if (commit) producer.commitTransaction();
                else producer.abortTransaction();
                // The markers are written after the answer to a commit, and only then the offset is there.
                var want = commit ? Map.of(0, 3L) : Map.<Integer, Long>of();
                Checks.eventually(() -> committed(group).equals(want), "the committed offsets are not " + want);
            }
        }
        Checks.equal(Records.read(target, PARTITIONS, Records.COMMITTED), List.of("A", "B", "C"), "target");
    }

    static void fenced() throws Exception {
        var topic = create("fenced");
        try (var zombie = transactional("fenced")) {
            zombie.beginTransaction();
            zombie.send(new ProducerRecord<>(topic, 0, "k", "zombie")).get();
            try (var heir = transactional("fenced")) {
                Checks.raises(() -> {
                    zombie.send(new ProducerRecord<>(topic, 0, "k", "zombie")).get();
                    zombie.commitTransaction();
                }, ProducerFencedException.class, InvalidProducerEpochException.class);
                Checks.raises(zombie::abortTransaction, KafkaException.class); // it cannot recover
                heir.beginTransaction();
                heir.send(new ProducerRecord<>(topic, 0, "k", "heir"));
                heir.commitTransaction();
            }
        }
        Checks.equal(Records.read(topic, PARTITIONS, Records.COMMITTED), List.of("heir"), "read committed");
    }

    static List<String> times(int n, List<String> values) {
        return Collections.nCopies(n, values).stream().flatMap(List::stream).collect(Collectors.toList());
    }

    static List<String> read(String topic) throws Exception {
        return Records.read(topic, PARTITIONS, Map.of());
    }
}
