package group

// Description is what DescribeGroups shows.
type Description struct {
	State                  State
	ProtocolType, Protocol string
	Members                []MemberDescription
}

// MemberDescription is one member. Metadata is that under the chosen protocol; it, the assignment, and the protocol of the
// group are empty unless the group is Stable.
type MemberDescription struct {
	MemberID, InstanceID, ClientID, ClientHost string
	Metadata, Assignment                       []byte
}

// Describe shows the group as it is, its members in the order in which they came.
func (g *Group) Describe() Description {
	d := Description{State: g.state, ProtocolType: g.protocolType}
	if g.state == Stable {
		d.Protocol = g.protocol
	}
	for _, m := range g.members {
		shown := MemberDescription{MemberID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost}
		if g.state == Stable {
			shown.Metadata, shown.Assignment = m.metadata(g.protocol), m.assignment
		}
		d.Members = append(d.Members, shown)
	}
	return d
}
