package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/transaction"
)

// described is a setting in the form of DescribeConfigs.
type described = kmsg.DescribeConfigsResponseResourceConfig

// Types of settings, in old and new versions of the response.
var (
	wholeNumber = kmsg.ConfigTypeLong
	plainText   = kmsg.ConfigTypeString
)

func describeSetting(name, value string, source kmsg.ConfigSource) described {
	d := kmsg.NewDescribeConfigsResponseResourceConfig()
	d.Name, d.Value, d.Source = name, &value, source
	d.IsDefault = source == kmsg.ConfigSourceDefaultConfig
	d.ConfigType = plainText
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		d.ConfigType = wholeNumber
	}
	return d
}

// describeTopic returns all settings of a topic, or those in names.
func describeTopic(t *topic, names []string) (list []described) {
	for _, s := range topicSettings {
		if names != nil && !slices.Contains(names, s.name) {
			continue
		}
		value, source := s.standard, kmsg.ConfigSourceDefaultConfig
		if own, ok := t.Config[s.name]; ok {
			value, source = own, kmsg.ConfigSourceDynamicTopicConfig
		}
		list = append(list, describeSetting(s.name, value, source))
	}
	return list
}

// describeBroker returns the fixed settings of the broker, under Kafka's names.
func (e *Engine) describeBroker(names []string) (list []described) {
	fixed := map[string]string{
		"broker.id":                             strconv.Itoa(nodeID),
		"num.partitions":                        strconv.Itoa(int(e.cfg.Partitions)),
		"auto.create.topics.enable":             strconv.FormatBool(e.cfg.AutoCreateTopics),
		"default.replication.factor":            "1",
		"min.insync.replicas":                   "1",
		"delete.topic.enable":                   "true",
		"group.min.session.timeout.ms":          strconv.FormatInt(e.cfg.MinSession.Milliseconds(), 10),
		"group.max.session.timeout.ms":          strconv.FormatInt(maxSession.Milliseconds(), 10),
		"group.max.size":                        strconv.Itoa(maxGroup),
		"transaction.max.timeout.ms":            strconv.FormatInt(transaction.MaxTimeout.Milliseconds(), 10),
		"transactional.id.expiration.ms":        strconv.FormatInt(transaction.Retention.Milliseconds(), 10),
		"producer.id.expiration.ms":             strconv.FormatInt(producerRetention.Milliseconds(), 10),
		"offsets.retention.minutes":             strconv.Itoa(int(offsetRetention.Minutes())),
		"offset.metadata.max.bytes":             strconv.Itoa(maxMetadata),
		"fetch.max.bytes":                       strconv.Itoa(maxFetch),
		"log.retention.check.interval.ms":       strconv.FormatInt(sweepInterval.Milliseconds(), 10),
		"message.max.bytes":                     findSetting(maxMessageBytes).standard,
		"log.retention.ms":                      findSetting("retention.ms").standard,
		"log.retention.bytes":                   findSetting("retention.bytes").standard,
		"log.cleanup.policy":                    findSetting("cleanup.policy").standard,
		"log.message.timestamp.type":            findSetting("message.timestamp.type").standard,
		"group.coordinator.rebalance.protocols": "classic",
	}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		if names == nil || slices.Contains(names, name) {
			d := describeSetting(name, fixed[name], kmsg.ConfigSourceStaticBrokerConfig)
			d.ReadOnly = true
			list = append(list, d)
		}
	}
	return list
}

func (e *Engine) describeConfigs(req *kmsg.DescribeConfigsRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	for _, rr := range req.Resources {
		sr := kmsg.NewDescribeConfigsResponseResource()
		sr.ResourceType, sr.ResourceName = rr.ResourceType, rr.ResourceName
		var err error
		switch t := e.catalog.Load().byName[rr.ResourceName]; {
		case rr.ResourceType == kmsg.ConfigResourceTypeTopic && checkTopicName(rr.ResourceName) != nil:
			err = checkTopicName(rr.ResourceName)
		case rr.ResourceType == kmsg.ConfigResourceTypeTopic && t == nil:
			err = kerr.UnknownTopicOrPartition
		case rr.ResourceType == kmsg.ConfigResourceTypeTopic:
			sr.Configs = describeTopic(t, rr.ConfigNames)
		case rr.ResourceType == kmsg.ConfigResourceTypeBroker && rr.ResourceName == "": // the defaults for all brokers: none is set
		case rr.ResourceType == kmsg.ConfigResourceTypeBroker && rr.ResourceName == strconv.Itoa(nodeID):
			sr.Configs = e.describeBroker(rr.ConfigNames)
		case rr.ResourceType == kmsg.ConfigResourceTypeBroker:
			err = protocolError(kerr.InvalidRequest, "the only broker is %d; there is no %q", nodeID, rr.ResourceName)
		default:
			err = protocolError(kerr.InvalidRequest, "this broker only has settings of topics and of itself")
		}
		for i := range sr.Configs {
			if c := &sr.Configs[i]; req.IncludeSynonyms {
				syn := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
				syn.Name, syn.Value, syn.Source = c.Name, c.Value, c.Source
				c.ConfigSynonyms = append(c.ConfigSynonyms, syn)
			}
		}
		sr.ErrorCode, sr.ErrorMessage = code(err), message(err)
		res.Resources = append(res.Resources, sr)
	}
	return res
}

// topicToAlter returns the topic whose settings are to be altered. The broker's settings cannot be altered.
func (e *Engine) topicToAlter(kind kmsg.ConfigResourceType, name string) (*topic, error) {
	switch t := e.topics[name]; {
	case kind != kmsg.ConfigResourceTypeTopic:
		return nil, protocolError(kerr.InvalidRequest, "only the settings of topics can be altered; those of the broker are fixed when it starts")
	case t == nil:
		return nil, kerr.UnknownTopicOrPartition
	default:
		return t, nil
	}
}

func (e *Engine) alterConfigs(req *kmsg.AlterConfigsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	e.do(func() {
		for _, rr := range req.Resources {
			sr := kmsg.NewAlterConfigsResponseResource()
			sr.ResourceType, sr.ResourceName = rr.ResourceType, rr.ResourceName
			t, err := e.topicToAlter(rr.ResourceType, rr.ResourceName)
			if err == nil {
				config := make(map[string]string)
				for _, c := range rr.Configs {
					config[c.Name] = orEmpty(c.Value)
				}
				err = e.alter(t, config, req.ValidateOnly)
			}
			sr.ErrorCode, sr.ErrorMessage = code(err), message(err)
			res.Resources = append(res.Resources, sr)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) incrementalAlterConfigs(req *kmsg.IncrementalAlterConfigsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	e.do(func() {
		for _, rr := range req.Resources {
			sr := kmsg.NewIncrementalAlterConfigsResponseResource()
			sr.ResourceType, sr.ResourceName = rr.ResourceType, rr.ResourceName
			t, err := e.topicToAlter(rr.ResourceType, rr.ResourceName)
			if err == nil {
				var config map[string]string
				if config, err = alterEach(t.Config, rr.Configs); err == nil {
					err = e.alter(t, config, req.ValidateOnly)
				}
			}
			sr.ErrorCode, sr.ErrorMessage = code(err), message(err)
			res.Resources = append(res.Resources, sr)
		}
		e.answer(res, reply)
	})
}

// alterEach returns the settings after applying changes to before.
func alterEach(before map[string]string, changes []kmsg.IncrementalAlterConfigsRequestResourceConfig) (map[string]string, error) {
	config := make(map[string]string, len(before))
	maps.Copy(config, before)
	named := make(map[string]bool)
	for _, c := range changes {
		known := findSetting(c.Name)
		again := named[c.Name]
		named[c.Name] = true
		switch {
		case again:
			return nil, protocolError(kerr.InvalidRequest, "the setting %s appears twice", c.Name)
		case known == nil:
			return nil, protocolError(kerr.InvalidConfig, "there is no topic setting %q", c.Name)
		case c.Op == kmsg.IncrementalAlterConfigOpDelete:
			delete(config, c.Name)
			continue
		case c.Value == nil:
			return nil, protocolError(kerr.InvalidConfig, "the setting %s has no value", c.Name)
		case c.Op == kmsg.IncrementalAlterConfigOpSet:
			config[c.Name] = *c.Value
			continue
		case !known.list:
			return nil, protocolError(kerr.InvalidConfig, "%s is not a list: it can be set, not appended to or subtracted from", c.Name)
		}
		text, ok := config[c.Name]
		if !ok {
			text = known.standard
		}
		config[c.Name] = alterList(text, *c.Value, c.Op == kmsg.IncrementalAlterConfigOpAppend)
	}
	return config, nil
}

// alterList adds values to a list, or removes them from it.
func alterList(text, change string, add bool) string {
	var list []string
	if text != "" {
		list = strings.Split(text, ",")
	}
	for value := range strings.SplitSeq(change, ",") {
		list = slices.DeleteFunc(list, func(v string) bool { return v == value })
		if add {
			list = append(list, value)
		}
	}
	return strings.Join(list, ",")
}
