import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;

import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.internals.ProcessorNode;
import org.apache.kafka.streams.processor.internals.ProcessorTopology;

/**
 * Opens the gate of a left or outer join of streams before each record. To spare itself scans of the store, Kafka Streams looks for
 * unmatched records only if the oldest one might be due. It takes a younger one for the oldest, and the bound of the wrong side, so
 * results leave later than they could, at a time that depends on restarts. In Rio they leave when they are due.
 */
final class Gate<K> implements FixedKeyProcessor<K, String, String> {
    /** The gates of a driver, which are known when it has started. */
    static final class All {
        private final List<Object> trackers = new ArrayList<>();

        void find(final TopologyTestDriver driver) throws ReflectiveOperationException {
            final ProcessorTopology topology = (ProcessorTopology) field(TopologyTestDriver.class, "processorTopology").get(driver);
            for (final ProcessorNode<?, ?, ?, ?> node : topology.processors()) {
                final Object processor = field(ProcessorNode.class, "processor").get(node);
                final Class<?> join = processor == null ? null : processor.getClass().getSuperclass();
                if (join != null && join.getSimpleName().equals("KStreamKStreamJoinProcessor")) {
                    trackers.add(field(join, "sharedTimeTracker").get(processor));
                }
            }
        }

        private void open() {
            try {
                for (final Object tracker : trackers) {
                    field(tracker.getClass(), "minTime").setLong(tracker, Long.MIN_VALUE / 2);
                }
            } catch (final ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        private static Field field(final Class<?> of, final String name) throws ReflectiveOperationException {
            final Field field = of.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        }
    }

    private final All gates;
    private FixedKeyProcessorContext<K, String> context;

    Gate(final All gates) {
        this.gates = gates;
    }

    @Override
    public void init(final FixedKeyProcessorContext<K, String> context) {
        this.context = context;
    }

    @Override
    public void process(final FixedKeyRecord<K, String> record) {
        gates.open();
        context.forward(record);
    }
}
