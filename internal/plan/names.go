package plan

import "cmp"

// Names maps the plan's names of topics to those in the log. Internal topics are prefixed with the application's name,
// as in Kafka Streams.
type Names struct {
	// Application is the consumer group and the prefix of internal topics.
	Application string

	// Prefix is prepended to the name of every external topic that the topology writes.
	Prefix string

	// Inputs are the names in the log of external topics that the topology only reads, where they differ from the plan's.
	Inputs map[string]string
}

// Names returns the default names: the application is called like its topology.
func (p *Plan) Names() Names { return Names{Application: p.Application} }

// Topic returns the name of a topic of the plan.
func (n Names) Topic(t *Topic) string {
	switch {
	case t.Internal:
		return n.Application + "-" + t.Name
	case t.Written:
		return n.Prefix + t.Name
	}
	return cmp.Or(n.Inputs[t.Name], t.Name)
}

// Changelog returns the name of the changelog topic of a store. The topic of a source table is its own changelog, see
// Store.Source.
func (n Names) Changelog(store string) string { return n.Application + "-" + store + "-changelog" }

// RepartitionName returns the name of the topic of a KeyBy, without the application's name.
func RepartitionName(name string) string { return name + "-repartition" }

// SubscriptionTopic and ResponseTopic return the names of the topics of a foreign-key join, without the application's
// name, and SubscriptionStore that of its store.
func SubscriptionTopic(name string) string { return name + "-subscription-registration-topic" }

// ResponseTopic: see SubscriptionTopic.
func ResponseTopic(name string) string { return name + "-subscription-response-topic" }

// SubscriptionStore: see SubscriptionTopic.
func SubscriptionStore(name string) string { return name + "-subscription-store" }
