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
    /** The files of the stores of the current case: in memory, and new for each case, since its operations take longer with each file. */
    private static Env files;

    private static final Cache SHARED = new LRUCache(1 << 20);

    static void newFiles() {
        files = new RocksMemEnv(Env.getDefault());
    }

    static void closeFiles() {
        files.close();
    }

    @Override
    public void setConfig(final String storeName, final Options options, final Map<String, Object> configs) {
        ((BlockBasedTableConfig) options.tableFormatConfig()).setBlockCache(SHARED);
        options.setWriteBufferSize(64 << 10);
        options.setMaxWriteBufferNumber(2);
        options.setMaxBackgroundJobs(1);
        options.setAllowMmapReads(false);
        options.setStatsDumpPeriodSec(0);
        options.setEnv(files);
        options.setAvoidFlushDuringShutdown(true);
        options.setSkipStatsUpdateOnDbOpen(true);
        options.setInfoLogLevel(InfoLogLevel.FATAL_LEVEL);
    }

    @Override
    public void close(final String storeName, final Options options) {
        // The cache is shared.
    }
}
