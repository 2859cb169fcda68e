import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Producers and consumers of strings, and what is sent and read with them. */
class Records {
    static final Map<String, Object> COMMITTED = Map.of("isolation.level", "read_committed");

    static String address;

    static KafkaProducer<String, String> producer(Map<String, ?> config) {
        Map<String, ?> base = Map.of("bootstrap.servers", address, "delivery.timeout.ms", 20000, "request.timeout.ms", 10000, "linger.ms", 0);
        return new KafkaProducer<>(merge(base, config), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Map<String, ?> config) {
        Map<String, ?> base = Map.of("bootstrap.servers", address, "auto.offset.reset", "earliest", "enable.auto.commit", false);
        return new KafkaConsumer<>(merge(base, config), new StringDeserializer(), new StringDeserializer());
    }

    static Map<String, Object> merge(Map<String, ?> base, Map<String, ?> more) {
        var all = new HashMap<String, Object>(base);
        all.putAll(more);
        return all;
    }

    static void send(String topic, int partition, String... values) throws Exception {
        try (var producer = producer(Map.of())) {
            for (var value : values) producer.send(new ProducerRecord<>(topic, partition, "k", value)).get();
        }
    }

    static List<String> read(String topic, int partitions, Map<String, ?> config) throws Exception {
        return readRecords(topic, partitions, config).stream().map(ConsumerRecord::value).collect(Collectors.toList());
    }

    /** All records of the topic, partition after partition, read by assignment from the beginning. */
    static List<ConsumerRecord<String, String>> readRecords(String topic, int partitions, Map<String, ?> config) throws Exception {
        var all = IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).collect(Collectors.toList());
        var records = new ArrayList<ConsumerRecord<String, String>>();
        try (var consumer = consumer(config)) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            var ends = ends(all);
            Checks.eventually(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
                return all.stream().allMatch(p -> consumer.position(p) >= ends.get(p));
            }, "the end of " + topic + " is not reached");
        }
        records.sort(Comparator.comparing(r -> r.partition()));
        return records;
    }

    /** The ends for a reader of everything: for others an end may still move, as the markers of transactions are written. */
    static Map<TopicPartition, Long> ends(List<TopicPartition> partitions) {
        try (var consumer = consumer(Map.of())) {
            return consumer.endOffsets(partitions);
        }
    }
}
