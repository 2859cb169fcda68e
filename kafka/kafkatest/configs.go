package kafkatest

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var configs = theme{"settings", []testCase{
	{"values and where they are from", configSources},
	{"some of them", configSome},
	{"set and deleted", configSetAndDeleted},
	{"appended and subtracted", configAppended},
	{"all replaced", configReplaced},
	{"only validated", configValidated},
	{"refused", configRefused},
	{"all or none of a topic", configAllOrNone},
	{"of a topic that does not exist", configUnknownTopic},
	{"of the broker", configOfBroker},
	{"take effect", configTakesEffect},
}}

// Sources of a setting's value, and operations of an incremental change.
const (
	fromTopic   = 1
	fromDefault = 5

	opSet      = 0
	opDelete   = 1
	opAppend   = 2
	opSubtract = 3
)

// config returns the settings of a topic, or some of them.
func (r *raw) config(topic string, names ...string) map[string]kmsg.DescribeConfigsResponseResourceConfig {
	r.s.Helper()
	return r.configOf(kmsg.ConfigResourceTypeTopic, topic, names...)
}

func (r *raw) configOf(kind kmsg.ConfigResourceType, name string, names ...string) map[string]kmsg.DescribeConfigsResponseResourceConfig {
	r.s.Helper()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = kind, name, names
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources, req.IncludeSynonyms = append(req.Resources, resource), true
	res := ask(r, req).Resources[0]
	r.s.code(nil, res.ErrorCode, "describe settings of "+name)
	found := make(map[string]kmsg.DescribeConfigsResponseResourceConfig)
	for _, c := range res.Configs {
		found[c.Name] = c
	}
	return found
}

// isSet waits until a setting has a value, or its default if the value is "".
func (r *raw) isSet(topic, setting, want string) {
	r.s.Helper()
	eventually(r.s, setting+" is "+want, func() bool {
		c := r.config(topic)[setting]
		if want == "" {
			return c.Source != fromTopic
		}
		return c.Source == fromTopic && c.Value != nil && *c.Value == want
	})
}

func configSources(s *subject) {
	topic := s.topic(1, map[string]string{"retention.ms": "12345"})
	all := s.raw().config(topic)
	if c := all["retention.ms"]; c.Value == nil || *c.Value != "12345" || c.Source != fromTopic || c.ReadOnly || c.IsSensitive {
		s.Errorf("changed settings: %+v", c)
	} else if len(c.ConfigSynonyms) == 0 || c.ConfigSynonyms[0].Source != fromTopic || *c.ConfigSynonyms[0].Value != "12345" {
		s.Errorf("source of a changed setting: %+v", c.ConfigSynonyms)
	}
	for setting, want := range map[string]string{
		"cleanup.policy": "delete", "max.message.bytes": "1048588", "message.timestamp.type": "CreateTime",
		"compression.type": "producer", "min.cleanable.dirty.ratio": "0.5", "retention.bytes": "-1",
	} {
		if c := all[setting]; c.Value == nil || *c.Value != want || c.Source == fromTopic {
			s.Errorf("the default of %s: %+v, want %s", setting, c, want)
		}
	}
}

func configSome(s *subject) {
	topic := s.topic(1)
	r := s.raw()
	some := r.config(topic, "cleanup.policy", "retention.ms", "no.such.setting")
	if len(some) != 2 || *some["cleanup.policy"].Value != "delete" {
		s.Errorf("%+v", some)
	}
	for version := int16(1); version <= 4; version++ {
		if c := r.at(version).config(topic, "cleanup.policy")["cleanup.policy"]; c.Value == nil || *c.Value != "delete" {
			s.Errorf("v%d: %+v", version, c)
		}
	}
}

type alteration struct {
	setting string
	op      kmsg.IncrementalAlterConfigOp
	value   string
}

// alter changes settings of a topic incrementally, and returns the error code.
func (r *raw) alter(topic string, validate bool, alterations ...alteration) int16 {
	r.s.Helper()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	for _, a := range alterations {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Op, c.Value = a.setting, a.op, name(a.value)
		if a.op == opDelete {
			c.Value = nil
		}
		resource.Configs = append(resource.Configs, c)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources, req.ValidateOnly = append(req.Resources, resource), validate
	return ask(r, req).Resources[0].ErrorCode
}

func configSetAndDeleted(s *subject) {
	topic := s.topic(1, map[string]string{"retention.ms": "12345"})
	r := s.raw()
	s.code(nil, r.alter(topic, false, alteration{"max.message.bytes", opSet, "2000"}), "set")
	r.isSet(topic, "max.message.bytes", "2000")
	r.isSet(topic, "retention.ms", "12345")
	s.code(nil, r.alter(topic, false, alteration{"retention.ms", opDelete, ""}, alteration{"max.message.bytes", opSet, "3000"}), "set and delete")
	r.isSet(topic, "retention.ms", "")
	r.isSet(topic, "max.message.bytes", "3000")
	s.code(nil, r.alter(topic, false, alteration{"retention.ms", opDelete, ""}), "delete what is not set")
}

func configAppended(s *subject) {
	topic := s.topic(1, map[string]string{"cleanup.policy": "delete"})
	r := s.raw()
	s.code(nil, r.alter(topic, false, alteration{"cleanup.policy", opAppend, "compact"}), "append")
	r.isSet(topic, "cleanup.policy", "delete,compact")
	s.code(nil, r.alter(topic, false, alteration{"cleanup.policy", opSubtract, "delete"}), "subtract")
	r.isSet(topic, "cleanup.policy", "compact")
	s.code(kerr.InvalidConfig, r.alter(topic, false, alteration{"retention.ms", opAppend, "1"}), "append to a number")
}

// AlterConfigs replaces all settings: those that it does not name get their defaults.
func configReplaced(s *subject) {
	topic := s.topic(1, map[string]string{"retention.ms": "12345"})
	r := s.raw()
	c := kmsg.NewAlterConfigsRequestResourceConfig()
	c.Name, c.Value = "max.message.bytes", name("2000")
	resource := kmsg.NewAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.Configs = kmsg.ConfigResourceTypeTopic, topic, append(resource.Configs, c)
	req := kmsg.NewPtrAlterConfigsRequest()
	req.Resources = append(req.Resources, resource)
	s.code(nil, ask(r, req).Resources[0].ErrorCode, "replace all settings")
	r.isSet(topic, "max.message.bytes", "2000")
	r.isSet(topic, "retention.ms", "")
}

func configValidated(s *subject) {
	topic := s.topic(1)
	r := s.raw()
	s.code(nil, r.alter(topic, true, alteration{"max.message.bytes", opSet, "2000"}), "validate")
	r.isSet(topic, "max.message.bytes", "")
	s.code(kerr.InvalidConfig, r.alter(topic, true, alteration{"max.message.bytes", opSet, "many"}), "validate what makes no sense")
}

func configRefused(s *subject) {
	topic := s.topic(1)
	r := s.raw()
	for setting, value := range map[string]string{
		"no.such.setting": "1", "retention.ms": "soon", "max.message.bytes": "-1", "cleanup.policy": "shred", "compression.type": "tar",
		"message.timestamp.type": "Whenever", "min.cleanable.dirty.ratio": "1.5", "segment.ms": "0",
	} {
		s.code(kerr.InvalidConfig, r.alter(topic, false, alteration{setting, opSet, value}), "set "+setting+" to "+value)
	}
	twice := alteration{"retention.ms", opSet, "1"}
	s.code(kerr.InvalidRequest, r.alter(topic, false, twice, twice), "set a setting twice")
}

func configAllOrNone(s *subject) {
	topic := s.topic(1)
	r := s.raw()
	s.code(kerr.InvalidConfig, r.alter(topic, false, alteration{"max.message.bytes", opSet, "2000"}, alteration{"retention.ms", opSet, "soon"}), "set one that is good, one that is not")
	r.isSet(topic, "max.message.bytes", "")
}

func configUnknownTopic(s *subject) {
	r := s.raw()
	never := s.unique()
	s.code(kerr.UnknownTopicOrPartition, r.alter(never, false, alteration{"max.message.bytes", opSet, "2000"}), "alter a topic that does not exist")
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, never
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = append(req.Resources, resource)
	res := ask(r, req).Resources[0]
	s.code(kerr.UnknownTopicOrPartition, res.ErrorCode, "describe a topic that does not exist")
	if res.ResourceName != never || len(res.Configs) != 0 {
		s.Errorf("described %+v", res)
	}
}

func configOfBroker(s *subject) {
	r := s.raw()
	all := r.configOf(kmsg.ConfigResourceTypeBroker, nodeName(r))
	for _, setting := range []string{"num.partitions", "auto.create.topics.enable", "log.retention.ms", "message.max.bytes"} {
		if c, ok := all[setting]; !ok || c.Source == fromTopic {
			s.Errorf("%s is not among the %d settings of the broker, or from a topic: %+v", setting, len(all), c)
		}
	}
	if sensitive := slices.ContainsFunc([]string{"sasl.jaas.config", "ssl.key.password"}, func(setting string) bool { return all[setting].Value != nil }); sensitive {
		s.Error("a secret setting has a value")
	}
}

func configTakesEffect(s *subject) {
	tp := s.ready()
	r := s.raw()
	large := seal(values(string(make([]byte, 3000))))
	r.appends(tp, 0, large)
	s.code(nil, r.alter(tp.Topic, false, alteration{"max.message.bytes", opSet, "2000"}), "set")
	eventually(s, "a large record is refused", func() bool { return r.append(tp, large).ErrorCode == kerr.MessageTooLarge.Code })
	s.code(nil, r.alter(tp.Topic, false, alteration{"max.message.bytes", opDelete, ""}), "delete")
	eventually(s, "a large record is allowed", func() bool { return r.append(tp, large).ErrorCode == 0 })
}
