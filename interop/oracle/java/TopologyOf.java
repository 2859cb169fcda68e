import java.time.Duration;
import java.time.Instant;
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
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/**
 * The topology of a case. All values are strings; keys are strings, or windowed strings behind a windowed aggregate. Each step has an
 * index and refers to earlier ones.
 *
 * <p>Where Rio differs on purpose, the step is built so that it does as Rio does; each such place says so.
 */
final class TopologyOf {
    private final StreamsBuilder builder = new StreamsBuilder();
    private final JsonNode request;
    private final Gate.All gates;
    private final Inherited inherited = new Inherited();
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

    TopologyOf(final JsonNode request, final Gate.All gates) {
        this.request = request;
        this.gates = gates;
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
                if (step.has("windows")) {
                    return windowed(step, plain(in), name);
                }
                return in.with(step.has("delete") ? quiet(in, aggregate(step, in, name)) : aggregate(step, in, name));
            case "filter-table":
                return in.with(quiet(in, in.table.filter((k, v) -> v.contains(text))));
            case "filter-not-table":
                return in.with(quiet(in, in.table.filterNot((k, v) -> v.contains(text))));
            case "map-table":
                return in.with(in.table.mapValues(v -> v + text));
            case "to-stream":
                return in.with(changes(in));
            case "to-table":
                return in.with(in.stream.toTable(Named.as(name), Materialized.with(in.keys, Serdes.String())));
            case "join":
                return in.with(in.stream.join(this.<K>second(step).table, TopologyOf::both, Joined.with(in.keys, Serdes.String(), Serdes.String())));
            case "left-join":
                return in.with(in.stream.leftJoin(this.<K>second(step).table, TopologyOf::both, Joined.with(in.keys, Serdes.String(), Serdes.String())));
            case "join-streams":
                return in.with(in.stream.join(this.<K>second(step).stream, TopologyOf::both, interval(step), joined(in, name)));
            case "left-join-streams":
                return in.with(gated(in).leftJoin(gated(this.<K>second(step)), TopologyOf::both, interval(step), joined(in, name)));
            case "outer-join-streams":
                return in.with(gated(in).outerJoin(gated(this.<K>second(step)), TopologyOf::both, interval(step), joined(in, name)));
            case "join-tables":
                return in.with(in.table.join(this.<K>second(step).table, TopologyOf::both));
            case "left-join-tables":
                return in.with(in.table.leftJoin(this.<K>second(step).table, TopologyOf::both));
            case "outer-join-tables":
                return in.with(in.table.outerJoin(this.<K>second(step).table, TopologyOf::both));
            case "to":
                in.stream.to(name, Produced.with(in.keys, Serdes.String()));
                return in;
            default:
                throw new IllegalArgumentException("no such step: " + step);
        }
    }

    /** A step before a windowed aggregate has plain keys. */
    @SuppressWarnings("unchecked")
    private static Step<String> plain(final Step<?> in) {
        return (Step<String>) in;
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

    private Step<Windowed<String>> windowed(final JsonNode step, final Step<String> in, final String name) {
        KStream<String, String> stream = in.stream;
        final JsonNode windows = step.get("windows");
        if (!step.has("countNulls") && !windows.get("kind").asText().equals("sliding")) { // which drop null values
            stream = stream.process(Clock::new).repartition(Repartitioned.<String, String>as("clock-" + steps.size()).withKeySerde(in.keys).withValueSerde(Serdes.String()));
        }
        final KGroupedStream<String, String> grouped = stream.processValues(inherited.before()).groupByKey(Grouped.with(in.keys, Serdes.String()));
        final long length = windows.get("size").asLong();
        final Duration size = Duration.ofMillis(length);
        final Duration grace = Duration.ofMillis(windows.path("grace").asLong());
        switch (windows.get("kind").asText()) {
            case "sessions":
                return sessions(step, grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(size, grace)), name);
            case "sliding":
                final var sliding = grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(size, grace));
                return times(step, sliding, length, name);
            case "unlimited":
                return times(step, grouped.windowedBy(UnlimitedWindows.of().startOn(Instant.ofEpochMilli(length))), Long.MAX_VALUE, name);
            case "hopping":
                final Duration advance = Duration.ofMillis(windows.get("advance").asLong());
                return times(step, grouped.windowedBy(TimeWindows.ofSizeAndGrace(size, grace).advanceBy(advance)), length, name);
            default:
                return times(step, grouped.windowedBy(TimeWindows.ofSizeAndGrace(size, grace)), length, name);
        }
    }

    private Step<Windowed<String>> times(final JsonNode step, final TimeWindowedKStream<String, String> in, final long size, final String name) {
        final Step<Windowed<String>> out = new Step<>(new WindowedSerdes.TimeWindowedSerde<>(Serdes.String(), size), null, null);
        switch (step.get("op").asText()) {
            case "count":
                return out.with(in.count(Materialized.as(name)).mapValues(String::valueOf));
            case "reduce":
                return out.with(in.reduce(TopologyOf::combine, Materialized.as(name)));
            default:
                final KTable<Windowed<String>, String> sums = in.aggregate(() -> step.path("text").asText(), (k, v, sum) -> add(step, sum, v), Materialized.as(name));
                return out.with(step.has("delete") ? quiet(out, sums) : sums);
        }
    }

    private Step<Windowed<String>> sessions(final JsonNode step, final SessionWindowedKStream<String, String> in, final String name) {
        final Step<Windowed<String>> out = new Step<>(new WindowedSerdes.SessionWindowedSerde<>(Serdes.String()), null, null);
        switch (step.get("op").asText()) {
            case "count":
                return out.with(in.count(Materialized.as(name)).mapValues(String::valueOf));
            case "reduce":
                return out.with(in.reduce(TopologyOf::combine, Materialized.as(name)));
            default:
                final KTable<Windowed<String>, String> sums = in.aggregate(() -> step.path("text").asText(), (k, v, sum) -> add(step, sum, v),
                    (k, a, b) -> a + "|" + b, Materialized.as(name));
                return out.with(step.has("delete") ? quiet(out, sums) : sums);
        }
    }

    private <K> KStream<K, String> changes(final Step<K> in) {
        final KStream<K, String> changes = in.table.toStream().filter((k, v) -> !Clock.is(k));
        return in.keys instanceof WindowedSerdes.SessionWindowedSerde<?> ? changes.processValues(inherited.behind()) : changes;
    }

    private <K> KStream<K, String> gated(final Step<K> in) {
        return in.stream.processValues(() -> new Gate<>(gates));
    }

    private static JoinWindows interval(final JsonNode step) {
        final JsonNode interval = step.get("interval");
        final Duration before = Duration.ofMillis(interval.get("before").asLong());
        final Duration after = Duration.ofMillis(interval.get("after").asLong());
        final Duration longer = before.compareTo(after) < 0 ? after : before; // one of them may be negative
        return JoinWindows.ofTimeDifferenceAndGrace(longer, Duration.ofMillis(interval.get("grace").asLong())).before(before).after(after);
    }

    private static <K> StreamJoined<K, String, String> joined(final Step<K> in, final String name) {
        return StreamJoined.with(in.keys, Serdes.String(), Serdes.String()).withName(name).withStoreName(name);
    }

    private static String both(final String left, final String right) {
        return (left == null ? "_" : left) + "&" + (right == null ? "_" : right);
    }

    /** Adds a value, and deletes the row that contains what deletes it. */
    private static String add(final JsonNode step, final String sum, final String value) {
        final String now = sum + (value == null ? "0" : value);
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
