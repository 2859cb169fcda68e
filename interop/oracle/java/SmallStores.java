import java.util.Map;

import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.Env;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksMemEnv;

/** Makes stores small: a case has some dozens of records, and thousands of cases open their own stores. */
public final class SmallStores implements RocksDBConfigSetter {
    private static final Env MEMORY = new RocksMemEnv(Env.getDefault());
    private static final Cache SHARED = new LRUCache(1 << 20);

    @Override
    public void setConfig(final String storeName, final Options options, final Map<String, Object> configs) {
        ((BlockBasedTableConfig) options.tableFormatConfig()).setBlockCache(SHARED);
        options.setWriteBufferSize(64 << 10);
        options.setMaxWriteBufferNumber(2);
        options.setMaxBackgroundJobs(1);
        options.setAllowMmapReads(false);
        options.setStatsDumpPeriodSec(0);
        options.setEnv(MEMORY);
        options.setAvoidFlushDuringShutdown(true);
        options.setSkipStatsUpdateOnDbOpen(true);
        options.setInfoLogLevel(InfoLogLevel.FATAL_LEVEL);
    }

    @Override
    public void close(final String storeName, final Options options) {
        // The cache is shared.
    }
}
