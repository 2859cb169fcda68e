package metrics

// Application returns the metrics of an application.
func Application() []*Metric {
	return of(applicationGroup, recordsGroup, progressGroup, commitsGroup, stateGroup)
}

const (
	applicationGroup = "The application"
	recordsGroup     = "Outcomes of records"
	progressGroup    = "Progress"
	commitsGroup     = "Commits, calls and recovery"
	stateGroup       = "State"
)

// Metrics of the application's state.
var (
	inApplication = in(applicationGroup)

	State = inApplication(Metric{
		Name: "rio_application_state", Kind: GaugeKind, Unit: Yes, Labels: []string{"state"},
		Help:  "1 for the state that the application is in, 0 for the others.",
		Alert: `state="failed" is 1: the run has ended with an error. state="degraded" is 1: a task keeps failing or makes no progress.`,
	})
	Tasks = inApplication(Metric{
		Name: "rio_tasks", Kind: GaugeKind, Unit: Events, Labels: []string{"state"},
		Help:  "Tasks of this process by their state.",
		Alert: `The sum over all processes is not the number of tasks of the topology: some partitions are not processed.`,
	})
	Waiting = inApplication(Metric{
		Name: "rio_task_waiting", Kind: GaugeKind, Unit: Yes, Labels: []string{"task", "reason"},
		Help: "1 while a task is not processing. The label reason says what it waits for: opening, restore, cluster, group, leader, " +
			"transaction, handler, state, or unknown.",
		Alert: "It is 1 for minutes, and the reason is not restore. The log and App.Snapshot give the reason in words.",
	})
	RestoreOffsets = inApplication(Metric{
		Name: "rio_restore_offsets", Kind: GaugeKind, Unit: Offsets, Labels: []string{"task"},
		Help: "Total number of changelog offsets that the current restore reads.",
	})
	RestoreLeft = inApplication(Metric{
		Name: "rio_restore_remaining_offsets", Kind: GaugeKind, Unit: Offsets, Labels: []string{"task"},
		Help:  "Number of changelog offsets that the current restore has yet to read.",
		Alert: "It does not fall for minutes: the log says what the task is waiting for.",
	})
)

// Outcomes of records. All except retries count committed work only; work that was rolled back is not counted.
var (
	inRecords = in(recordsGroup)

	RecordsProcessed = inRecords(Metric{
		Name: "rio_records_processed_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology"},
		Help:  "Records read from the inputs, including dropped, skipped and dead-lettered ones.",
		Alert: "Its rate is 0 while rio_lag_records is not: nothing is processed.",
	})
	RecordsSent = inRecords(Metric{
		Name: "rio_records_sent_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology"},
		Help: "Records written to output and repartition topics, without changelogs.",
	})
	RecordsDropped = inRecords(Metric{
		Name: "rio_records_dropped_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology", "step", "reason"},
		Help:  "Records that a step dropped: too late, without a key, an unexpected tombstone, a duplicate of Distinct, or not taken by any branch.",
		Alert: `It grows with reason="late" or "no-key": results lack these records. The log gives an example.`,
	})
	RecordsSkipped = inRecords(Metric{
		Name: "rio_records_skipped_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology", "stage"},
		Help:  "Records that failed and were skipped by a policy.",
		Alert: "It grows: results lack these records, and they are not in a dead-letter topic. The log gives an example.",
	})
	RecordsDeadLettered = inRecords(Metric{
		Name: "rio_records_dead_lettered_total", Kind: CounterKind, Unit: Records, Labels: []string{"subtopology", "stage"},
		Help:  "Records that failed and were written to the dead-letter topic by a policy.",
		Alert: "It grows: somebody must look at the dead letters.",
	})
	StepEvents = inRecords(Metric{
		Name: "rio_step_events_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "step", "event"},
		Help: "Events that a custom step counts: see processor.Context.Counter.",
	})
	Retries = inRecords(Metric{
		Name: "rio_record_retries_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "stage"},
		Help:  "Failed attempts to process a record that a policy retries. Counted at once, committed or not.",
		Alert: "It grows for minutes: a service that a handler calls does not respond, and the task makes no progress meanwhile.",
	})
)

// Progress of the tasks.
var (
	inProgress = in(progressGroup)

	Lag = inProgress(Metric{
		Name: "rio_lag_records", Kind: GaugeKind, Unit: Offsets, Labels: []string{"task", "topic"},
		Help:  "Offsets between the committed offset of an input and its last known end.",
		Alert: "It grows for minutes: the application is slower than its input, or makes no progress.",
	})
	BufferedRecords = inProgress(Metric{
		Name: "rio_buffered_records", Kind: GaugeKind, Unit: Records, Labels: []string{"task", "topic"},
		Help: "Fetched records of an input that were not yet processed at the last commit.",
	})
	BufferedBytes = inProgress(Metric{
		Name: "rio_buffered_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task", "topic"},
		Help: "Approximate memory of the fetched records of an input that were not yet processed at the last commit.",
	})
	StreamTime = inProgress(Metric{
		Name: "rio_stream_time_timestamp_seconds", Kind: GaugeKind, Unit: Seconds, Labels: []string{"task"},
		Help: "Stream time of a task, the greatest event time it has seen, in seconds since 1970.",
		Alert: "time() minus it is hours below 0: a record from the future has advanced stream time, and later records count as late. " +
			"time() minus it is far above 0 while the lag is small: the producers send old events.",
	})
)

// Metrics of commits, calls of user code, and recovery from failures.
var (
	inCommits = in(commitsGroup)

	Latency = inCommits(Metric{
		Name: "rio_record_latency_seconds", Kind: HistogramKind, Unit: Seconds, Labels: []string{"subtopology"}, Buckets: longTimes,
		Help: "Time from a record's timestamp until the commit of its results. One record is sampled per task and commit: the one that " +
			"has waited longest for the commit.",
		Alert: "A high quantile of the last sub-topology is above what the users of the results expect.",
	})
	CommitDuration = inCommits(Metric{
		Name: "rio_commit_duration_seconds", Kind: HistogramKind, Unit: Seconds, Buckets: longTimes,
		Help:  "Duration of successful commits: changelogs, offsets, the end of the transaction, the state database.",
		Alert: "A high quantile is above the commit interval: brokers or disks are slow.",
	})
	CommitAge = inCommits(Metric{
		Name: "rio_commit_age_seconds", Kind: GaugeKind, Unit: Seconds, Labels: []string{"worker"},
		Help:  "Time since a worker's first uncommitted change, 0 if it has none.",
		Alert: "It is above many commit intervals: commits fail or hang, or a handler does not return.",
	})
	DirtyBytes = inCommits(Metric{
		Name: "rio_dirty_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"worker"},
		Help: "Size of changed rows that are not yet committed.",
	})
	ProducerBytes = inCommits(Metric{
		Name: "rio_producer_buffered_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"worker"},
		Help:  "Size of results and changelog records that the brokers have not yet acknowledged.",
		Alert: "It stays near an eighth of Config.Memory divided by the workers: brokers are slower than processing.",
	})
	TransactionsAborted = inCommits(Metric{
		Name: "rio_transactions_aborted_total", Kind: CounterKind, Unit: Events,
		Help:  "Transactions that were aborted after a failure. Their records are processed again.",
		Alert: "It grows steadily: the same work is repeated.",
	})
	TurnDuration = inCommits(Metric{
		Name: "rio_turn_duration_seconds", Kind: HistogramKind, Unit: Seconds, Buckets: shortTimes,
		Help:  "Time that a task processed records without a break: up to 512 records, and about a second at most unless a handler call is slow.",
		Alert: "There are turns above 2.5 s: handler calls are slow.",
	})
	CallRunning = inCommits(Metric{
		Name: "rio_call_running_seconds", Kind: GaugeKind, Unit: Seconds, Labels: []string{"task"},
		Help:  "How long the current call of user code has been running. A task without a call has no sample.",
		Alert: "It is above a few seconds: a handler hangs. After Config.MaxProcessing the log has the step, the record and the stack.",
	})
	Hung = inCommits(Metric{
		Name: "rio_hung_calls", Kind: GaugeKind, Unit: Events,
		Help:  "Handler calls that have exceeded Config.MaxProcessing and have not returned.",
		Alert: "It is not 0: a task makes no progress until the call returns.",
	})
	Restarts = inCommits(Metric{
		Name: "rio_task_restarts_total", Kind: CounterKind, Unit: Events, Labels: []string{"reason"},
		Help: "Times that a task was closed after a failure and reopened at its last commit. Reasons: cluster, group, transaction, " +
			"handler, state.",
		Alert: "It grows steadily. All tasks of a worker are reopened together, so one failure counts several times.",
	})
	Rebalances = inCommits(Metric{
		Name: "rio_rebalances_total", Kind: CounterKind, Unit: Events, Labels: []string{"reason"},
		Help: "Rebalances of this process: assigned (it lost no tasks), revoked (tasks moved to other processes), lost (the group had " +
			"removed it).",
		Alert: `It grows although no process started or stopped, or it grows with reason="lost": the process sends no heartbeats for longer than Config.SessionTimeout.`,
	})
)

// The stores.
var (
	inState = in(stateGroup)

	CacheHits = inState(Metric{
		Name: "rio_store_cache_hits_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "store"},
		Help: "Lookups of keys that were in memory.",
	})
	CacheMisses = inState(Metric{
		Name: "rio_store_cache_misses_total", Kind: CounterKind, Unit: Events, Labels: []string{"subtopology", "store"},
		Help:  "Lookups of keys that were read from the database.",
		Alert: "Most lookups are misses while the application lags: increase Config.Memory.",
	})
	CacheBytes = inState(Metric{
		Name: "rio_store_cache_bytes", Kind: GaugeKind, Unit: Bytes,
		Help: "Size of the rows that all stores of the process keep in memory.",
	})
	StateBytes = inState(Metric{
		Name: "rio_state_disk_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task"},
		Help:  "Size of a task's database on disk.",
		Alert: "The sum approaches the size of the volume.",
	})
	L0Files = inState(Metric{
		Name: "rio_pebble_l0_files", Kind: GaugeKind, Unit: Events, Labels: []string{"task"},
		Help: "Tables in level 0 of a task's database.",
	})
	L0Sublevels = inState(Metric{
		Name: "rio_pebble_l0_sublevels", Kind: GaugeKind, Unit: Events, Labels: []string{"task"},
		Help:  "Layers of tables in level 0 that a read must search. Writes stop at 24.",
		Alert: "It stays above 10: compactions do not keep up.",
	})
	CompactionDebt = inState(Metric{
		Name: "rio_pebble_compaction_debt_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task"},
		Help: "Approximate number of bytes that compactions have yet to write.",
	})
	MemtableBytes = inState(Metric{
		Name: "rio_pebble_memtable_bytes", Kind: GaugeKind, Unit: Bytes, Labels: []string{"task"},
		Help: "Size of commits that are not yet written to tables.",
	})
	Compactions = inState(Metric{
		Name: "rio_pebble_compactions_total", Kind: CounterKind, Unit: Events,
		Help: "Compactions of all databases of the process.",
	})
	CompactionSeconds = inState(Metric{
		Name: "rio_pebble_compaction_seconds_total", Kind: CounterKind, Unit: Seconds,
		Help:  "Time spent in compactions of all databases of the process.",
		Alert: "Its rate approaches 1 per core: the machine is busy with compactions.",
	})
	WriteStalls = inState(Metric{
		Name: "rio_pebble_write_stalls_total", Kind: CounterKind, Unit: Events,
		Help:  "Times that a commit had to wait for flushes or compactions.",
		Alert: "It grows: the disk is too slow, or the memtables are too small for a commit.",
	})
	WriteStalled = inState(Metric{
		Name: "rio_pebble_stalled_databases", Kind: GaugeKind, Unit: Events,
		Help:  "Databases in which a commit is waiting for flushes or compactions.",
		Alert: "It is above 0 for seconds.",
	})
	BlockCacheBytes = inState(Metric{
		Name: "rio_pebble_block_cache_bytes", Kind: GaugeKind, Unit: Bytes,
		Help: "Size of the blocks of tables, and of memtables, that the process keeps in memory.",
	})
	BlockCacheHits = inState(Metric{
		Name: "rio_pebble_block_cache_hits_total", Kind: CounterKind, Unit: Events,
		Help: "Reads of table blocks that were in memory.",
	})
	BlockCacheMisses = inState(Metric{
		Name: "rio_pebble_block_cache_misses_total", Kind: CounterKind, Unit: Events,
		Help: "Reads of table blocks that were not in memory.",
	})
)
