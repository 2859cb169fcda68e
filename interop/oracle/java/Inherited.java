import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;

/**
 * Gives the changes of sessions the headers of the record that caused them. Kafka Streams does so for all aggregates but those of
 * sessions.
 */
final class Inherited {
    private Headers last = new RecordHeaders();

    /** Returns the step before the aggregate. */
    <K> FixedKeyProcessorSupplier<K, String, String> before() {
        return () -> new Step<K>() {
            @Override
            public void process(final FixedKeyRecord<K, String> record) {
                last = record.headers();
                context.forward(record);
            }
        };
    }

    /** Returns the step behind the aggregate. */
    <K> FixedKeyProcessorSupplier<K, String, String> behind() {
        return () -> new Step<K>() {
            @Override
            public void process(final FixedKeyRecord<K, String> record) {
                context.forward(record.withHeaders(last));
            }
        };
    }

    private abstract static class Step<K> implements FixedKeyProcessor<K, String, String> {
        FixedKeyProcessorContext<K, String> context;

        @Override
        public void init(final FixedKeyProcessorContext<K, String> context) {
            this.context = context;
        }
    }
}
