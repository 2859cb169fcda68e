import java.util.Map;

import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;

/** Makes stores small: a case has some dozens of records, and thousands of cases open their own stores. */
public final class SmallStores implements RocksDBConfigSetter {
    private static final Cache SHARED = new LRUCache(1 << 20);

    @Override
    public void setConfig(final String storeName, final Options options, final Map<String, Object> configs) {
        ((BlockBasedTableConfig) options.tableFormatConfig()).setBlockCache(SHARED);
        options.setWriteBufferSize(64 << 10);
        options.setMaxWriteBufferNumber(2);
        options.setMaxBackgroundJobs(1);
        options.setAllowMmapReads(false);
        options.setStatsDumpPeriodSec(0);
        options.setMaxOpenFiles(64);
    }

    @Override
    public void close(final String storeName, final Options options) {
        // The cache is shared.
    }
}
