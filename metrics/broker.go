package metrics

// Broker returns the metrics of a broker.
func Broker() []*Metric { return of(brokerGroup) }

const brokerGroup = "The broker"

var (
	inBroker = in(brokerGroup)

	BrokerRequests = inBroker(Metric{
		Name: "rio_broker_request_duration_seconds", Kind: HistogramKind, Unit: Seconds, Labels: []string{"api"}, Buckets: longTimes,
		Help: "Time from reading a request until its response was ready. It is long for Fetch, which waits for records, and for " +
			"JoinGroup, which waits for members.",
		Alert: `A high quantile of api="Produce" or "EndTxn" is longer than a commit may take: the disk is slow.`,
	})
	BrokerReceived = inBroker(Metric{
		Name: "rio_broker_received_bytes_total", Kind: CounterKind, Unit: Bytes,
		Help: "Size of the requests read.",
	})
	BrokerSent = inBroker(Metric{
		Name: "rio_broker_sent_bytes_total", Kind: CounterKind, Unit: Bytes,
		Help: "Size of the responses sent.",
	})
	BrokerConnections = inBroker(Metric{
		Name: "rio_broker_connections", Kind: GaugeKind, Unit: Events,
		Help:  "Open connections of clients.",
		Alert: "It keeps growing: a client does not close its connections.",
	})
	BrokerFailedLogins = inBroker(Metric{
		Name: "rio_broker_failed_logins_total", Kind: CounterKind, Unit: Events,
		Help:  "Failed logins, and connections that sent a request without a login.",
		Alert: "It grows: a client has a wrong password or none, or an attacker guesses passwords. The log gives an address.",
	})
	BrokerTopics = inBroker(Metric{
		Name: "rio_broker_topics", Kind: GaugeKind, Unit: Events,
		Help: "Existing topics.",
	})
	BrokerPartitions = inBroker(Metric{
		Name: "rio_broker_partitions", Kind: GaugeKind, Unit: Events,
		Help: "Partitions of all topics.",
	})
	BrokerGroups = inBroker(Metric{
		Name: "rio_broker_groups", Kind: GaugeKind, Unit: Events, Labels: []string{"state"},
		Help:  "Consumer groups by state, with Kafka's names.",
		Alert: `A group is in state="PreparingRebalance" for minutes: a member does not rejoin.`,
	})
	BrokerTransactions = inBroker(Metric{
		Name: "rio_broker_open_transactions", Kind: GaugeKind, Unit: Events,
		Help: "Transactions that have not ended.",
	})
	BrokerOldestTransaction = inBroker(Metric{
		Name: "rio_broker_oldest_transaction_seconds", Kind: GaugeKind, Unit: Seconds,
		Help:  "How long the oldest open transaction has been open, 0 if there is none.",
		Alert: "It is longer than commits take: readers of committed records wait for it.",
	})
	BrokerLogBytes = inBroker(Metric{
		Name: "rio_broker_log_bytes", Kind: GaugeKind, Unit: Bytes,
		Help: "Size of the log, on disk or in memory.",
	})
	BrokerSync = inBroker(Metric{
		Name: "rio_broker_sync_duration_seconds", Kind: HistogramKind, Unit: Seconds, Buckets: shortTimes,
		Help:  "Duration of syncs of the log to disk. There are none with durability os.",
		Alert: "A high quantile is above 0.1: every commit of every client waits for a sync.",
	})
	BrokerDiskFree = inBroker(Metric{
		Name: "rio_broker_disk_free_bytes", Kind: GaugeKind, Unit: Bytes,
		Help:  "Free space on the disk of the log. A log in memory has no sample.",
		Alert: "It approaches 128 MiB: below that, or a tenth of a small disk, records are rejected.",
	})
	BrokerDiskFull = inBroker(Metric{
		Name: "rio_broker_disk_full", Kind: GaugeKind, Unit: Yes,
		Help:  "1 while records are rejected because the disk is full.",
		Alert: "It is 1.",
	})
)
