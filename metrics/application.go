package metrics

// Application returns the metrics of an application.
func Application() []*Metric {
	return of(applicationGroup, recordsGroup, progressGroup, commitsGroup, stateGroup)
}

const (
	applicationGroup = "The application"
	recordsGroup     = "What became of records"
	progressGroup    = "Progress"
	commitsGroup     = "Commits, calls and recovery"
	stateGroup       = "State"
)

// What the application is doing.
var (
	inApplication = in(applicationGroup)

	State = inApplication(Metric{
		Name: "rio_application_state", Kind: GaugeKind, Unit: Yes, Labels: []string{"state"},
		Help:  "1 for the state that the application is in, 0 for the others.",
		Alert: `state="failed" is 1: the run has ended with an error. state="degraded" is 1: a task fails again and again, or makes no progress.`,
	})
	Tasks = inApplication(Metric{
		Name: "rio_tasks", Kind: GaugeKind, Unit: Events, Labels: []string{"state"},
		Help:  "Tasks of this process by their state.",
		Alert: `The sum over all processes is not the number of tasks of the topology: nobody processes some partitions.`,
	})
	Waiting = inApplication(Metric{
		Name: "rio_task_waiting", Kind: GaugeKind, Unit: Yes, Labels: []string{"task", "reason"},
		Help: "1 while a task is not processing. The label reason says what it waits for: opening, restore, cluster, group, leader, " +
			"transaction, handler, state, or unknown.",
		Alert: "It is 1 for minutes, and the reason is not restore. The log and App.Snapshot give the reason in words.",
	})
	RestoreOffsets = inApplication(Metric{
		Name: "rio_restore_offsets", Kind: GaugeKind, Unit: Offsets, Labels: []string{"task"},
		Help: "Offsets of changelogs that the restore under way reads in all.",
	})
	RestoreLeft = inApplication(Metric{
		Name: "rio_restore_remaining_offsets", Kind: GaugeKind, Unit: Offsets, Labels: []string{"task"},
		Help:  "Offsets of changelogs that the restore under way has yet to read.",
		Alert: "It does not fall for minutes: the log says what the task waits for.",
	})
)

// What became of records. All of these count committed work: what was rolled back is not counted.
var (
	inRecords = in(recordsGroup)

	RecordsProcessed = inRecords(Metric{
		Name: "rio_records_processed_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology"},
		Help:  "Records taken from the inputs, left out or not.",
		Alert: "Its rate is 0 while rio_lag_records is not: nothing is processed.",
	})
	RecordsSent = inRecords(Metric{
		Name: "rio_records_sent_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology"},
		Help: "Records written to output and repartition topics, without changelogs.",
	})
	RecordsDropped = inRecords(Metric{
		Name: "rio_records_dropped_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology", "step", "reason"},
		Help:  "Records that a step left out as its rules say: too late, without a key, with an unexpected tombstone.",
		Alert: `It grows with reason="late" or "no-key": results miss these records. The log gives an example.`,
	})
	RecordsSkipped = inRecords(Metric{
		Name: "rio_records_skipped_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology", "stage"},
		Help:  "Records that failed and that a policy left out.",
		Alert: "It grows: these records are in no result and nowhere else. The log gives an example.",
	})
	RecordsDeadLettered = inRecords(Metric{
		Name: "rio_records_dead_lettered_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology", "stage"},
		Help:  "Records that failed and that a policy wrote to the topic of dead letters.",
		Alert: "It grows: somebody must look at the dead letters.",
	})
	Retries = inRecords(Metric{
		Name: "rio_record_retries_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "stage"},
		Help:  "Attempts to process a record that failed, and that a policy tries again. Counted at once, committed or not.",
		Alert: "It grows for minutes: what a handler calls does not answer, and the task stands still meanwhile.",
	})
)

// How far the tasks have come.
var (
	inProgress = in(progressGroup)

	Lag = inProgress(Metric{
		Name: "rio_lag_records", Kind: GaugeKind, Unit: Offsets, Labels: []string{"task", "topic"},
		Help:  "Offsets between what is committed of an input and its end, as the last fetch told it.",
		Alert: "It grows for minutes: the application is slower than its input, or stands still.",
	})
	BufferedRecords = inProgress(Metric{
		Name: "rio_buffered_records", Kind: GaugeKind, Unit: Records, Labels: []string{"task", "topic"},
		Help: "Records of an input that are fetched and not yet processed, at the last commit.",
	})
	BufferedBytes = inProgress(Metric{
		Name: "rio_buffered_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task", "topic"},
		Help: "About how much memory these records take.",
	})
	StreamTime = inProgress(Metric{
		Name: "rio_stream_time_timestamp_seconds", Kind: GaugeKind, Unit: Seconds, Labels: []string{"task"},
		Help: "Stream time of a task, the greatest event time it has seen, in seconds since 1970.",
		Alert: "time() minus it is hours below 0: a record from the future has moved stream time, and what follows is late. " +
			"It is far above 0 while the lag is small: the producers send old events.",
	})
)

// How work ends: commits, calls of user code, and what happens when they fail.
var (
	inCommits = in(commitsGroup)

	Latency = inCommits(Metric{
		Name: "rio_record_latency_seconds", Kind: HistogramKind, Unit: Seconds, Labels: []string{"subtopology"}, Buckets: longTimes,
		Help: "Time from a record's timestamp until what came of it was committed, of one record for each task and commit: the one that " +
			"has waited longest for the commit.",
		Alert: "A high quantile of the last sub-topology is above what users of the results expect.",
	})
	CommitDuration = inCommits(Metric{
		Name: "rio_commit_duration_seconds", Kind: HistogramKind, Unit: Seconds, Buckets: longTimes,
		Help:  "Time that a commit took: changelogs, offsets, the end of the transaction, the state database. Only those that succeeded.",
		Alert: "A high quantile is above the commit interval: brokers or disks are slow.",
	})
	CommitAge = inCommits(Metric{
		Name: "rio_commit_age_seconds", Kind: GaugeKind, Unit: Seconds, Labels: []string{"worker"},
		Help:  "How long a worker has had something to commit, 0 if it has nothing.",
		Alert: "It is above many commit intervals: commits fail or hang, or a handler does not return.",
	})
	DirtyBytes = inCommits(Metric{
		Name: "rio_dirty_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"worker"},
		Help: "Changed rows that wait for the next commit.",
	})
	ProducerBytes = inCommits(Metric{
		Name: "rio_producer_buffered_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"worker"},
		Help:  "Results and changes that the brokers have not acknowledged.",
		Alert: "It stays near an eighth of Config.Memory divided by the workers: brokers are slower than processing.",
	})
	TransactionsAborted = inCommits(Metric{
		Name: "rio_transactions_aborted_total", Kind: CounterKind, Unit: Events,
		Help:  "Transactions that were given up after a failure. Their records are processed again.",
		Alert: "It grows steadily: work is done again and again.",
	})
	TurnDuration = inCommits(Metric{
		Name: "rio_turn_duration_seconds", Kind: HistogramKind, Unit: Seconds, Buckets: shortTimes,
		Help:  "Time that a task processed without a break: up to 512 records, and not much above a second unless a call of a handler is longer.",
		Alert: "There are turns above 2.5 s: calls of a handler are slow.",
	})
	CallRunning = inCommits(Metric{
		Name: "rio_call_running_seconds", Kind: GaugeKind, Unit: Seconds, Labels: []string{"task"},
		Help:  "How long the call of user code that is under way has been running. A task without a call has no sample.",
		Alert: "It is above a few seconds: a handler hangs. After Config.MaxProcessing the log names the step, the record and the stack.",
	})
	Hung = inCommits(Metric{
		Name: "rio_hung_calls", Kind: GaugeKind, Unit: Events,
		Help:  "Calls of handlers that took longer than Config.MaxProcessing and have not returned.",
		Alert: "It is not 0: a task stands still until the call returns.",
	})
	Restarts = inCommits(Metric{
		Name: "rio_task_restarts_total", Kind: CounterKind, Unit: Events, Labels: []string{"reason"},
		Help: "Times that a task was closed after a failure and opened again at its last commit. Reasons: cluster, group, transaction, " +
			"handler, state.",
		Alert: "It grows steadily. All tasks of a worker are opened again at once, so one failure counts several times.",
	})
	Rebalances = inCommits(Metric{
		Name: "rio_rebalances_total", Kind: CounterKind, Unit: Events, Labels: []string{"reason"},
		Help: "Rebalances that this process took part in: assigned (nothing was taken from it), revoked (tasks went to others), lost " +
			"(the group had given it up).",
		Alert: `It grows although no process came or went, or grows with reason="lost": the process is silent longer than Config.SessionTimeout.`,
	})
)

// The stores.
var (
	inState = in(stateGroup)

	CacheHits = inState(Metric{
		Name: "rio_store_cache_hits_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "store"},
		Help: "Look-ups of keys that were in memory.",
	})
	CacheMisses = inState(Metric{
		Name: "rio_store_cache_misses_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "store"},
		Help:  "Look-ups of keys that were read from the database.",
		Alert: "Misses are most of the look-ups while the application lags: more Config.Memory would help.",
	})
	CacheBytes = inState(Metric{
		Name: "rio_store_cache_bytes", Kind: GaugeKind, Unit: Bytes,
		Help: "Rows that all stores of the process keep in memory.",
	})
	StateBytes = inState(Metric{
		Name: "rio_state_disk_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task"},
		Help:  "Size of a task's database on disk.",
		Alert: "The sum nears the size of the volume.",
	})
	L0Files = inState(Metric{
		Name: "rio_pebble_l0_files", Kind: GaugeKind, Unit: Events, Labels: []string{"task"},
		Help: "Tables in level 0 of a task's database.",
	})
	L0Sublevels = inState(Metric{
		Name: "rio_pebble_l0_sublevels", Kind: GaugeKind, Unit: Events, Labels: []string{"task"},
		Help:  "Layers of tables in level 0 that a read must look into. Writes stop at 24.",
		Alert: "It stays above 10: compactions do not keep up.",
	})
	CompactionDebt = inState(Metric{
		Name: "rio_pebble_compaction_debt_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task"},
		Help: "About how many bytes compactions have yet to write.",
	})
	MemtableBytes = inState(Metric{
		Name: "rio_pebble_memtable_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task"},
		Help: "Commits that are not in tables yet.",
	})
	Compactions = inState(Metric{
		Name: "rio_pebble_compactions_total", Kind: CounterKind, Unit: Events,
		Help: "Compactions of all databases of the process.",
	})
	CompactionSeconds = inState(Metric{
		Name: "rio_pebble_compaction_seconds_total", Kind: CounterKind, Unit: Seconds,
		Help:  "Time that they took.",
		Alert: "Its rate nears 1 for each core: the disk's work, not the records', takes the machine.",
	})
	WriteStalls = inState(Metric{
		Name: "rio_pebble_write_stalls_total", Kind: CounterKind, Unit: Events,
		Help:  "Times that a commit had to wait for flushes or compactions.",
		Alert: "It grows: the disk is too slow, or memtables are too small for what a commit writes.",
	})
	WriteStalled = inState(Metric{
		Name: "rio_pebble_stalled_databases", Kind: GaugeKind, Unit: Events,
		Help:  "Databases in which a commit waits now.",
		Alert: "It is not 0 for seconds.",
	})
	BlockCacheBytes = inState(Metric{
		Name: "rio_pebble_block_cache_bytes", Kind: GaugeKind, Unit: Bytes,
		Help: "Blocks of tables, and memtables, that the process keeps in memory.",
	})
	BlockCacheHits = inState(Metric{
		Name: "rio_pebble_block_cache_hits_total", Kind: CounterKind, Unit: Events,
		Help: "Reads of blocks that were in memory.",
	})
	BlockCacheMisses = inState(Metric{
		Name: "rio_pebble_block_cache_misses_total", Kind: CounterKind, Unit: Events,
		Help: "Reads of blocks that went to the operating system.",
	})
)
