import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Replaces null values before a windowed aggregate. For Kafka Streams they are values; Rio drops them, but their time counts. So they
 * become values of a key of their own, which is taken out of the results.
 */
final class Clock implements Processor<String, String, String, String> {
    private static final String KEY = "\u0000clock";

    private ProcessorContext<String, String> context;

    /** Reports whether a key of the results is the clock's. */
    static boolean is(final Object key) {
        return KEY.equals(key instanceof Windowed<?> windowed ? windowed.key() : key);
    }

    @Override
    public void init(final ProcessorContext<String, String> context) {
        this.context = context;
    }

    @Override
    public void process(final Record<String, String> record) {
        if (record.key() != null) { // a record without a key does not reach the windows
            context.forward(record.value() == null ? record.withKey(KEY).withValue("") : record);
        }
    }
}
