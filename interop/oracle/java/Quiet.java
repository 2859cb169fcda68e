import java.util.HashSet;
import java.util.Set;

import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Drops the tombstones of rows that do not exist. */
final class Quiet<K> implements FixedKeyProcessor<K, String, String> {
    private final Set<K> rows = new HashSet<>();
    private FixedKeyProcessorContext<K, String> context;

    @Override
    public void init(final FixedKeyProcessorContext<K, String> context) {
        this.context = context;
    }

    @Override
    public void process(final FixedKeyRecord<K, String> record) {
        if (record.value() == null ? rows.remove(record.key()) : rows.add(record.key()) || true) {
            context.forward(record);
        }
    }
}
