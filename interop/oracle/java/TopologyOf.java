import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;

/**
 * The topology of a case. All values are strings; keys are strings, or windowed strings behind a windowed aggregate. Each step has an
 * index and refers to earlier ones.
 *
 * <p>Where Rio differs on purpose, the step is built so that it does as Rio does; each such place says so.
 */
final class TopologyOf {
    private final StreamsBuilder builder = new StreamsBuilder();
    private final JsonNode request;
    private final List<Step<?>> steps = new ArrayList<>();

    /** What a step has made: a stream or a table, and the second output of a branch. */
    static final class Step<K> {
        final Serde<K> keys;
        final KStream<K, String> stream;
        final KTable<K, String> table;
        KStream<K, String> rest;

        Step(final Serde<K> keys, final KStream<K, String> stream, final KTable<K, String> table) {
            this.keys = keys;
            this.stream = stream;
            this.table = table;
        }

        Step<K> with(final KStream<K, String> other) {
            return new Step<>(keys, other, null);
        }

        Step<K> with(final KTable<K, String> other) {
            return new Step<>(keys, null, other);
        }
    }

    TopologyOf(final JsonNode request) {
        this.request = request;
    }

    Topology build() {
        for (final JsonNode step : request.get("steps")) {
            steps.add(step.has("in") ? next(step, input(step, 0)) : source(step));
        }
        return builder.build();
    }

    private Step<?> input(final JsonNode step, final int i) {
        return steps.get(step.get("in").get(i).asInt());
    }

    /** The other input of a step; it has keys of the same kind. */
    @SuppressWarnings("unchecked")
    private <K> Step<K> second(final JsonNode step) {
        return (Step<K>) input(step, 1);
    }

    private Step<?> source(final JsonNode step) {
        final String topic = step.get("name").asText();
        final Consumed<String, String> as = Consumed.with(Serdes.String(), Serdes.String());
        if (step.get("op").asText().equals("table")) {
            return new Step<>(Serdes.String(), null, builder.table(topic, as));
        }
        return new Step<>(Serdes.String(), builder.stream(topic, as), null);
    }

    private <K> Step<?> next(final JsonNode step, final Step<K> in) {
        final String name = step.path("name").asText();
        final String text = step.path("text").asText();
        switch (step.get("op").asText()) {
            // Tombstones pass steps that see values.
            case "filter":
                return in.with(in.stream.filter((k, v) -> v == null || v.contains(text)));
            case "filter-not":
                return in.with(in.stream.filterNot((k, v) -> v != null && v.contains(text)));
            case "map":
                return in.with(in.stream.mapValues(v -> v == null ? null : v + text));
            case "flat-map": // drops tombstones
                return in.with(in.stream.flatMapValues(TopologyOf::letters));
            case "branch":
                return branch(step, in, text);
            case "rest":
                return in.with(in.rest);
            case "merge":
                return in.with(in.stream.merge(this.<K>second(step).stream));
            case "key-by": // drops tombstones
                return new Step<>(Serdes.String(), in.stream.filter((k, v) -> v != null).selectKey((k, v) -> first(v))
                    .repartition(Repartitioned.<String, String>as(name).withKeySerde(Serdes.String()).withValueSerde(Serdes.String())), null);
            case "count":
            case "reduce":
            case "aggregate":
                return in.with(step.has("delete") ? quiet(in, aggregate(step, in, name)) : aggregate(step, in, name));
            case "filter-table":
                return in.with(quiet(in, in.table.filter((k, v) -> v.contains(text))));
            case "filter-not-table":
                return in.with(quiet(in, in.table.filterNot((k, v) -> v.contains(text))));
            case "map-table":
                return in.with(in.table.mapValues(v -> v + text));
            case "to-stream":
                return in.with(in.table.toStream());
            case "to-table":
                return in.with(in.stream.toTable(Named.as(name), Materialized.with(in.keys, Serdes.String())));
            case "to":
                in.stream.to(name, Produced.with(in.keys, Serdes.String()));
                return in;
            default:
                throw new IllegalArgumentException("no such step: " + step);
        }
    }

    private <K> Step<K> branch(final JsonNode step, final Step<K> in, final String text) {
        final String prefix = "branch-" + steps.size() + "-";
        final var branches = in.stream.split(Named.as(prefix))
            .branch((k, v) -> v != null && v.contains(text), Branched.as("matched"))
            .defaultBranch(Branched.as("rest"));
        final Step<K> out = in.with(branches.get(prefix + "matched"));
        out.rest = branches.get(prefix + "rest");
        return out;
    }

    private <K> KTable<K, String> aggregate(final JsonNode step, final Step<K> in, final String name) {
        final KGroupedStream<K, String> grouped = in.stream.groupByKey(Grouped.with(in.keys, Serdes.String()));
        switch (step.get("op").asText()) {
            case "count":
                return grouped.count(Materialized.as(name)).mapValues(String::valueOf);
            case "reduce":
                return grouped.reduce(TopologyOf::combine, Materialized.as(name));
            default:
                return grouped.aggregate(() -> step.path("text").asText(), (k, v, sum) -> add(step, sum, v), Materialized.as(name));
        }
    }

    /** Rio sends no tombstone for a row that a filter has never let pass, nor for one that an aggregate deletes when it would be new. */
    private <K> KTable<K, String> quiet(final Step<K> in, final KTable<K, String> table) {
        return table.toStream().processValues(Quiet<K>::new)
            .toTable(Named.as("quiet-" + steps.size()), Materialized.with(in.keys, Serdes.String()));
    }

    /** Adds a value, and deletes the row that contains what deletes it. */
    private static String add(final JsonNode step, final String sum, final String value) {
        final String now = sum + value;
        return step.has("delete") && now.contains(step.get("delete").asText()) ? null : now;
    }

    private static String combine(final String a, final String b) {
        return a + "," + b;
    }

    /** The first three letters of a value. */
    private static List<String> letters(final String value) {
        final List<String> letters = new ArrayList<>();
        for (int i = 0; value != null && i < Math.min(3, value.length()); i++) {
            letters.add(value.substring(i, i + 1));
        }
        return letters;
    }

    private static String first(final String value) {
        return value.isEmpty() ? "" : value.substring(0, 1);
    }
}
