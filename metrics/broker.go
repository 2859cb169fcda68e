package metrics

// Broker returns the metrics of a broker.
func Broker() []*Metric { return of(brokerGroup) }

const brokerGroup = "The broker"

var (
	inBroker = in(brokerGroup)

	BrokerRequests = inBroker(Metric{
		Name: "rio_broker_request_duration_seconds", Kind: HistogramKind, Unit: Seconds, Labels: []string{"api"}, Buckets: longTimes,
		Help: "Time from when a request was read until its response could be sent. Fetch waits for records and JoinGroup for members, so " +
			"theirs is long.",
		Alert: `A high quantile of api="Produce" or "EndTxn" is above what a commit may take: the disk is slow.`,
	})
	BrokerReceived = inBroker(Metric{
		Name: "rio_broker_received_bytes_total", Kind: CounterKind, Unit: Bytes,
		Help: "Requests that were read.",
	})
	BrokerSent = inBroker(Metric{
		Name: "rio_broker_sent_bytes_total", Kind: CounterKind, Unit: Bytes,
		Help: "Responses that were sent.",
	})
	BrokerConnections = inBroker(Metric{
		Name: "rio_broker_connections", Kind: GaugeKind, Unit: Events,
		Help:  "Connections of clients.",
		Alert: "It grows without end: a client does not close its connections.",
	})
	BrokerTopics = inBroker(Metric{
		Name: "rio_broker_topics", Kind: GaugeKind, Unit: Events,
		Help: "Topics that there are.",
	})
	BrokerPartitions = inBroker(Metric{
		Name: "rio_broker_partitions", Kind: GaugeKind, Unit: Events,
		Help: "Their partitions.",
	})
	BrokerGroups = inBroker(Metric{
		Name: "rio_broker_groups", Kind: GaugeKind, Unit: Events, Labels: []string{"state"},
		Help:  "Consumer groups by their state, as Kafka names it.",
		Alert: `A group is in state="PreparingRebalance" for minutes: a member does not join again.`,
	})
	BrokerTransactions = inBroker(Metric{
		Name: "rio_broker_open_transactions", Kind: GaugeKind, Unit: Events,
		Help: "Transactions that have not ended.",
	})
	BrokerOldestTransaction = inBroker(Metric{
		Name: "rio_broker_oldest_transaction_seconds", Kind: GaugeKind, Unit: Seconds,
		Help:  "For how long the oldest of them has been open, 0 without any.",
		Alert: "It is above what commits take: readers of committed records wait for it.",
	})
	BrokerLogBytes = inBroker(Metric{
		Name: "rio_broker_log_bytes", Kind: GaugeKind, Unit: Bytes,
		Help: "Size of the log: on the disk, or in memory.",
	})
	BrokerSync = inBroker(Metric{
		Name: "rio_broker_sync_duration_seconds", Kind: HistogramKind, Unit: Seconds, Buckets: shortTimes,
		Help:  "Time that the disk took to make a write of the log durable. With durability os there are none.",
		Alert: "A high quantile is above 0.1: every commit of every client waits for it.",
	})
	BrokerDiskFree = inBroker(Metric{
		Name: "rio_broker_disk_free_bytes", Kind: GaugeKind, Unit: Bytes,
		Help:  "Free room on the disk of the log. None of a log in memory.",
		Alert: "It nears 128 MiB: below that, or a tenth of a small disk, records are refused.",
	})
	BrokerDiskFull = inBroker(Metric{
		Name: "rio_broker_disk_full", Kind: GaugeKind, Unit: Yes,
		Help:  "1 while records are refused because the disk is full.",
		Alert: "It is 1.",
	})
)
