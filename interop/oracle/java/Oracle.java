import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.rocksdb.RocksDB;

/**
 * Reads cases from standard input, one JSON object a line, runs each on Kafka Streams' TopologyTestDriver with RocksDB stores, and
 * prints an answer a line. case.go describes both formats.
 */
public final class Oracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path stateDir;
    private int cases;

    private Oracle(final Path stateDir) {
        this.stateDir = stateDir;
    }

    public static void main(final String[] args) throws IOException {
        RocksDB.loadLibrary();
        final Path memory = Path.of("/dev/shm"); // state on a disk would be the slowest part
        final Path dir = Files.isWritable(memory) ? Files.createTempDirectory(memory, "rio-oracle") : Files.createTempDirectory("rio-oracle");
        try {
            new Oracle(dir).serve();
        } finally {
            delete(dir.toFile());
        }
    }

    private void serve() throws IOException {
        final PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        final BufferedReader cases = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = cases.readLine(); line != null; line = cases.readLine()) {
            answers.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
            answers.flush();
        }
    }

    private ObjectNode answer(final JsonNode request) {
        final ObjectNode answer = JSON.createObjectNode();
        final Gate.All gates = new Gate.All();
        SmallStores.newFiles();
        try (TopologyTestDriver driver = new TopologyTestDriver(new TopologyOf(request, gates).build(), settings(request))) {
            gates.find(driver);
            final ArrayNode outputs = answer.putArray("outputs");
            final Map<String, TestInputTopic<String, String>> inputs = new HashMap<>();
            final Map<String, TestOutputTopic<byte[], byte[]>> sinks = new HashMap<>();
            for (final JsonNode input : request.get("inputs")) {
                inputs.computeIfAbsent(input.get("topic").asText(),
                    topic -> driver.createInputTopic(topic, new StringSerializer(), new StringSerializer())).pipeInput(record(input));
                final ArrayNode after = outputs.addArray();
                for (final JsonNode step : request.get("steps")) {
                    if (step.get("op").asText().equals("to")) {
                        collect(after, step.get("name").asText(), sinks, driver);
                    }
                }
            }
        } catch (final Exception e) {
            answer.removeAll();
            answer.put("error", causes(e));
        }
        SmallStores.closeFiles();
        return answer;
    }

    /** The settings of a driver. It has no caches, so that each update is sent on, and none of the delays that only save time. */
    private Properties settings(final JsonNode request) {
        final Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle-" + cases++);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:0");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, SmallStores.class);
        if (!request.has("rocksDB")) {
            settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, KeyValuesInMemory.class);
        }
        return settings;
    }

    private static TestRecord<String, String> record(final JsonNode input) {
        final Headers headers = new RecordHeaders();
        for (final JsonNode header : input.path("headers")) {
            headers.add(header.get("key").asText(), bytes(header.get("value")));
        }
        return new TestRecord<>(text(input.get("key")), text(input.get("value")), headers, input.get("at").asLong());
    }

    private static String text(final JsonNode value) {
        return value == null || value.isNull() ? null : value.asText();
    }

    private static byte[] bytes(final JsonNode base64) {
        return base64 == null || base64.isNull() ? null : Base64.getDecoder().decode(base64.asText());
    }

    private static void collect(final ArrayNode outputs, final String topic, final Map<String, TestOutputTopic<byte[], byte[]>> sinks, final TopologyTestDriver driver) {
        final TestOutputTopic<byte[], byte[]> sink = sinks.computeIfAbsent(topic,
            name -> driver.createOutputTopic(name, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
        for (final TestRecord<byte[], byte[]> record : sink.readRecordsToList()) {
            final ObjectNode output = outputs.addObject();
            output.put("topic", topic);
            output.put("key", record.key());
            output.put("value", record.value());
            output.put("at", record.timestamp());
            for (final Header header : record.headers()) {
                output.withArray("headers").addObject().put("key", header.key()).put("value", header.value());
            }
        }
    }

    private static String causes(final Throwable error) {
        final StringBuilder text = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            text.append(cause).append('\n');
            for (int i = 0; i < Math.min(6, cause.getStackTrace().length); i++) {
                text.append("\tat ").append(cause.getStackTrace()[i]).append('\n');
            }
        }
        return text.toString();
    }

    private static void delete(final File file) {
        final File[] inside = file.listFiles();
        for (int i = 0; inside != null && i < inside.length; i++) {
            delete(inside[i]);
        }
        file.delete();
    }
}
