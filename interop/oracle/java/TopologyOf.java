import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import com.fasterxml.jackson.databind.JsonNode;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
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
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

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
    private int stored;
    private int clocks;

    /** What a step has made: a stream or a table, and the second output of a branch. */
    static final class Step<K> {
        final Serde<K> keys;
        final KStream<K, String> stream;
        final KTable<K, String> table;
        GlobalKTable<K, String> global;
        KStream<K, String> rest;
        boolean spurious; // the table sends tombstones for rows that do not exist
        boolean bare; // the changes lack the headers of the record that caused them
        boolean initial; // the old value of a row that does not exist is the initial one of an aggregate

        Step(final Serde<K> keys, final KStream<K, String> stream, final KTable<K, String> table) {
            this.keys = keys;
            this.stream = stream;
            this.table = table;
        }

        Step<K> with(final KStream<K, String> other) {
            return new Step<>(keys, other, null);
        }

        Step<K> with(final KTable<K, String> other) {
            final Step<K> out = new Step<>(keys, null, other);
            out.bare = bare;
            out.initial = initial;
            return out;
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
            if (!step.has("history")) {
                return new Step<>(Serdes.String(), null, builder.table(topic, as));
            }
            final Duration history = Duration.ofMillis(step.get("history").asLong());
            return new Step<>(Serdes.String(), null, builder.table(topic, as, Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore(topic, history))));
        }
        if (step.get("op").asText().equals("global-table")) {
            final Step<String> out = new Step<>(Serdes.String(), null, null);
            out.global = builder.globalTable(topic, as);
            return out;
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
                return aggregated(step, in.with(aggregate(step, in, name)));
            case "cogroup":
                return cogroup(step, name);
            case "filter-table":
                return filtered(in, withOldValues(in).filter((k, v) -> v.contains(text)));
            case "filter-not-table":
                return filtered(in, withOldValues(in).filterNot((k, v) -> v.contains(text)));
            case "map-table":
                return spurious(in.with(in.table.mapValues(v -> v + text)), in.spurious);
            case "to-stream":
                return in.with(changes(in));
            case "to-table":
                return in.with(in.stream.toTable(Named.as(name), Materialized.with(in.keys, Serdes.String())));
            case "count-table-by":
            case "reduce-table-by":
            case "aggregate-table-by":
                return new Step<>(Serdes.String(), null, aggregateTable(step, in, name));
            case "join-tables-by":
            case "left-join-tables-by":
                return new Step<>(in.keys, null, joinTablesBy(step, in, name));
            case "join-global":
                return in.with(in.stream.join(this.<String>second(step).global, (k, v) -> first(v), (v, row) -> both(v, row)));
            case "left-join-global":
                return in.with(in.stream.leftJoin(this.<String>second(step).global, (k, v) -> first(v), (v, row) -> both(v, row)));
            case "join":
                return in.with(in.stream.join(quiet(this.<K>second(step)), TopologyOf::both, joined(step, in)));
            case "left-join":
                return in.with(in.stream.leftJoin(quiet(this.<K>second(step)), TopologyOf::both, joined(step, in)));
            case "join-streams":
                return in.with(in.stream.join(this.<K>second(step).stream, TopologyOf::both, interval(step), joined(in, name)));
            case "left-join-streams":
                return in.with(gated(in).leftJoin(gated(this.<K>second(step)), TopologyOf::both, interval(step), joined(in, name)));
            case "outer-join-streams":
                return in.with(gated(in).outerJoin(gated(this.<K>second(step)), TopologyOf::both, interval(step), joined(in, name)));
            case "join-tables":
                return joinedTables(step, in, quiet(in).join(quiet(this.<K>second(step)), TopologyOf::both));
            case "left-join-tables":
                return joinedTables(step, in, quiet(in).leftJoin(quiet(this.<K>second(step)), TopologyOf::both));
            case "outer-join-tables":
                return joinedTables(step, in, quiet(in).outerJoin(quiet(this.<K>second(step)), TopologyOf::both));
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
    private static <K> Step<K> spurious(final Step<K> step, final boolean spurious) {
        step.spurious = spurious;
        return step;
    }

    private <K> Step<K> joinedTables(final JsonNode step, final Step<K> in, final KTable<K, String> joined) {
        final Step<K> out = in.with(joined);
        out.initial |= second(step).initial;
        return out;
    }

    /** The table that a filter filters. Behind sessions, a filter of Kafka Streams expects old values, and gets none where the bounds stay. */
    private <K> KTable<K, String> withOldValues(final Step<K> in) {
        return in.bare ? stored(in) : in.table;
    }

    private static <K> Step<K> filtered(final Step<K> in, final KTable<K, String> table) {
        final Step<K> out = spurious(in.with(table), true);
        out.bare = false;
        return out;
    }

    private static <K> Step<K> aggregated(final JsonNode step, final Step<K> out) {
        final boolean sliding = step.path("windows").path("kind").asText().equals("sliding"); // the old value is another window's
        out.initial = (sliding || !step.get("op").asText().equals("reduce")) && !step.has("final");
        return spurious(out, step.has("delete") && !step.has("final"));
    }

    /** The table of a step, without tombstones for rows that do not exist. */
    private <K> KTable<K, String> quiet(final Step<K> in) {
        return in.spurious ? stored(in) : in.table;
    }

    /**
     * The table of a step for those who see old values and headers. For Kafka Streams, the old value of a new row is what the
     * initializer of an aggregate returns, and a grouped table would subtract it from some group.
     */
    private <K> KTable<K, String> exact(final Step<K> in) {
        return in.initial || in.bare ? stored(in) : in.table;
    }

    private <K> KTable<K, String> stored(final Step<K> in) {
        return changes(in).toTable(Named.as("stored-" + stored++), Materialized.with(in.keys, Serdes.String()));
    }

    /** The changes of a table as Rio has them. */
    private <K> KStream<K, String> changes(final Step<K> in) {
        final KStream<K, String> all = in.table.toStream().filter((k, v) -> !Clock.is(k));
        final KStream<K, String> changes = in.spurious ? all.processValues(Quiet<K>::new) : all;
        return in.bare ? changes.processValues(inherited.behind()) : changes;
    }

    /** The stream of a step before a windowed aggregate. */
    private KGroupedStream<String, String> grouped(final JsonNode step, final Step<String> in) {
        KStream<String, String> stream = in.stream;
        if (!step.has("countNulls") && !step.get("windows").get("kind").asText().equals("sliding")) { // which drop null values
            stream = stream.process(Clock::new).repartition(Repartitioned.<String, String>as("clock-" + clocks++).withKeySerde(in.keys).withValueSerde(Serdes.String()));
        }
        return stream.processValues(inherited.before()).groupByKey(Grouped.with(in.keys, Serdes.String()));
    }

    private Step<?> cogroup(final JsonNode step, final String name) {
        CogroupedKStream<String, String> parts = null;
        for (int i = 0; i < step.get("in").size(); i++) {
            final int part = i;
            final Step<String> in = plain(input(step, i));
            final KGroupedStream<String, String> grouped = step.has("windows") ? grouped(step, in) : in.stream.groupByKey(Grouped.with(in.keys, Serdes.String()));
            final Aggregator<String, String, String> add = (k, v, sum) -> add(step, sum + part, v);
            parts = parts == null ? grouped.cogroup(add) : parts.cogroup(grouped, add);
        }
        if (!step.has("windows")) {
            final Step<String> out = new Step<>(Serdes.String(), null, null);
            return aggregated(step, out.with(parts.aggregate(() -> step.path("text").asText(), rows(step, name))));
        }
        return cogroup(step, parts, name);
    }

    private Step<Windowed<String>> cogroup(final JsonNode step, final CogroupedKStream<String, String> parts, final String name) {
        final JsonNode windows = step.get("windows");
        final long length = windows.get("size").asLong();
        final Duration size = Duration.ofMillis(length);
        final Duration grace = Duration.ofMillis(windows.path("grace").asLong());
        final Initializer<String> first = () -> step.path("text").asText();
        final Step<Windowed<String>> times = new Step<>(new WindowedSerdes.TimeWindowedSerde<>(Serdes.String(), length), null, null);
        switch (windows.get("kind").asText()) {
            case "sessions":
                final Step<Windowed<String>> out = new Step<>(new WindowedSerdes.SessionWindowedSerde<>(Serdes.String()), null, null);
                out.bare = true;
                return aggregated(step, out.with(parts.windowedBy(SessionWindows.ofInactivityGapAndGrace(size, grace)).aggregate(first, (k, a, b) -> a + "|" + b, rows(step, name))));
            case "sliding":
                return aggregated(step, times.with(parts.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(size, grace)).aggregate(first, rows(step, name))));
            case "unlimited":
                return aggregated(step, times.with(parts.windowedBy(UnlimitedWindows.of().startOn(Instant.ofEpochMilli(length))).aggregate(first, rows(step, name))));
            case "hopping":
                final Duration advance = Duration.ofMillis(windows.get("advance").asLong());
                return aggregated(step, times.with(parts.windowedBy(TimeWindows.ofSizeAndGrace(size, grace).advanceBy(advance)).aggregate(first, rows(step, name))));
            default:
                return aggregated(step, times.with(parts.windowedBy(TimeWindows.ofSizeAndGrace(size, grace)).aggregate(first, rows(step, name))));
        }
    }

    private Step<Windowed<String>> windowed(final JsonNode step, final Step<String> in, final String name) {
        final KGroupedStream<String, String> grouped = grouped(step, in);
        final JsonNode windows = step.get("windows");
        final long length = windows.get("size").asLong();
        final Duration size = Duration.ofMillis(length);
        final Duration grace = Duration.ofMillis(windows.path("grace").asLong());
        switch (windows.get("kind").asText()) {
            case "sessions":
                return sessions(step, grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(size, grace)).emitStrategy(emits(step)), name);
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

    private static EmitStrategy emits(final JsonNode step) {
        return step.has("final") ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
    }

    private static <S extends StateStore> Materialized<String, String, S> rows(final JsonNode step, final String name) {
        return retained(step, Materialized.as(name));
    }

    private static <S extends StateStore> Materialized<String, Long, S> counts(final JsonNode step, final String name) {
        return retained(step, Materialized.as(name));
    }

    /** A session that is exactly as old as the retention is still open, but Kafka Streams has lost it. So sessions are kept for 1 ms more. */
    private static <V, S extends StateStore> Materialized<String, V, S> retained(final JsonNode step, final Materialized<String, V, S> rows) {
        final JsonNode windows = step.path("windows");
        if (windows.path("kind").asText().equals("sessions")) {
            final long open = windows.get("size").asLong() + windows.path("grace").asLong();
            return rows.withRetention(Duration.ofMillis(step.path("retention").asLong(open) + 1));
        }
        return step.has("retention") ? rows.withRetention(Duration.ofMillis(step.get("retention").asLong())) : rows;
    }

    private Step<Windowed<String>> times(final JsonNode step, final TimeWindowedKStream<String, String> windowed, final long size, final String name) {
        final TimeWindowedKStream<String, String> in = step.has("final") ? windowed.emitStrategy(emits(step)) : windowed;
        final Step<Windowed<String>> out = new Step<>(new WindowedSerdes.TimeWindowedSerde<>(Serdes.String(), size), null, null);
        switch (step.get("op").asText()) {
            case "count":
                return aggregated(step, out.with(in.count(counts(step, name)).mapValues(String::valueOf)));
            case "reduce":
                return aggregated(step, out.with(in.reduce(TopologyOf::combine, rows(step, name))));
            default:
                final KTable<Windowed<String>, String> sums = in.aggregate(() -> step.path("text").asText(), (k, v, sum) -> add(step, sum, v), rows(step, name));
                return aggregated(step, out.with(sums));
        }
    }

    private Step<Windowed<String>> sessions(final JsonNode step, final SessionWindowedKStream<String, String> in, final String name) {
        final Step<Windowed<String>> out = new Step<>(new WindowedSerdes.SessionWindowedSerde<>(Serdes.String()), null, null);
        out.bare = true;
        switch (step.get("op").asText()) {
            case "count":
                return aggregated(step, out.with(in.count(counts(step, name)).mapValues(String::valueOf)));
            case "reduce":
                return out.with(in.reduce(TopologyOf::combine, rows(step, name)));
            default:
                final KTable<Windowed<String>, String> sums = in.aggregate(() -> step.path("text").asText(), (k, v, sum) -> add(step, sum, v),
                    (k, a, b) -> a + "|" + b, rows(step, name));
                return aggregated(step, out.with(sums));
        }
    }

    private <K> KStream<K, String> gated(final Step<K> in) {
        return in.stream.processValues(() -> new Gate<>(gates));
    }

    private static <K> Joined<K, String, String> joined(final JsonNode step, final Step<K> in) {
        final Joined<K, String, String> joined = Joined.with(in.keys, Serdes.String(), Serdes.String());
        return step.has("hold") ? joined.withName(step.get("name").asText()).withGracePeriod(Duration.ofMillis(step.get("hold").asLong())) : joined;
    }

    private <K> KTable<String, String> aggregateTable(final JsonNode step, final Step<K> in, final String name) {
        final KGroupedTable<String, String> grouped = exact(in).groupBy( // rows of the clock are not in Rio's table
            (k, v) -> KeyValue.pair(Clock.is(k) ? null : first(v), v), Grouped.<String, String>as(name).withKeySerde(Serdes.String()).withValueSerde(Serdes.String()));
        final Materialized<String, String, KeyValueStore<Bytes, byte[]>> as = Materialized.as(name);
        switch (step.get("op").asText()) {
            case "count-table-by":
                return grouped.count(Materialized.as(name)).mapValues(String::valueOf);
            case "reduce-table-by":
                return grouped.reduce(TopologyOf::plus, TopologyOf::minus, as);
            default:
                return grouped.aggregate(() -> step.path("text").asText(), (k, v, sum) -> plus(sum, v), (k, v, sum) -> minus(sum, v), as);
        }
    }

    private static String plus(final String group, final String value) {
        return group + "+" + value;
    }

    private static String minus(final String group, final String value) {
        return group + "-" + value;
    }

    private <K> KTable<K, String> joinTablesBy(final JsonNode step, final Step<K> in, final String name) {
        final KTable<K, String> left = in.spurious ? quiet(in) : exact(in);
        final KTable<String, String> right = quiet(this.<String>second(step));
        final Function<String, String> key = v -> v.isEmpty() ? null : first(v);
        final TableJoined<K, String> as = TableJoined.as(name);
        final Materialized<K, String, KeyValueStore<Bytes, byte[]>> rows = step.has("stored") ? Materialized.as(step.get("stored").asText()) : Materialized.with(in.keys, Serdes.String());
        rows.withKeySerde(in.keys).withValueSerde(Serdes.String());
        return step.get("op").asText().equals("join-tables-by")
            ? left.join(right, key, TopologyOf::both, as, rows)
            : left.leftJoin(right, key, TopologyOf::both, as, rows);
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
        return value == null || value.isEmpty() ? "" : value.substring(0, 1);
    }
}
