package metrics

// Application returns the metrics of an application.
func Application() []*Metric { return of(applicationGroup, recordsGroup, progressGroup) }

const (
	applicationGroup = "The application"
	recordsGroup     = "What became of records"
	progressGroup    = "Progress"
)

// What the application is doing.
var (
	inApplication = in(applicationGroup)

	State = inApplication(Metric{
		Name: "rio_application_state", Kind: GaugeKind, Unit: Yes, Labels: []string{"state"},
		Help:  "1 for the state that the application is in, 0 for the others.",
		Alert: `state="failed" is 1: the run has ended with an error. state="restoring" is 1 for longer than a restore takes.`,
	})
	Tasks = inApplication(Metric{
		Name: "rio_tasks", Kind: GaugeKind, Unit: Events, Labels: []string{"state"},
		Help:  "Tasks of this process by their state.",
		Alert: `The sum over all processes is not the number of tasks of the topology: nobody processes some partitions.`,
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
