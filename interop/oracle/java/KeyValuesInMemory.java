import java.util.Map;

import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslKeyValueParams;
import org.apache.kafka.streams.state.DslSessionParams;
import org.apache.kafka.streams.state.DslStoreSuppliers;
import org.apache.kafka.streams.state.DslWindowParams;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.SessionBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;

/** Keeps rows of windows and sessions in RocksDB, where they expire, and plain rows in memory, which is faster. */
public final class KeyValuesInMemory implements DslStoreSuppliers {
    private final DslStoreSuppliers memory = new BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers();
    private final DslStoreSuppliers disk = new BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers();

    @Override
    public void configure(final Map<String, ?> configs) {
        memory.configure(configs);
        disk.configure(configs);
    }

    @Override
    public KeyValueBytesStoreSupplier keyValueStore(final DslKeyValueParams params) {
        return memory.keyValueStore(params);
    }

    @Override
    public WindowBytesStoreSupplier windowStore(final DslWindowParams params) {
        return disk.windowStore(params);
    }

    @Override
    public SessionBytesStoreSupplier sessionStore(final DslSessionParams params) {
        return disk.sessionStore(params);
    }
}
