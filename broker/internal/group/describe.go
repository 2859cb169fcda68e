package group

// Description is the answer to DescribeGroups.
type Description struct {
	State                  State
	ProtocolType, Protocol string
	Members                []MemberDescription
}

// MemberDescription describes one member. Metadata is that of the chosen protocol. Metadata, the assignment, and the
// protocol of the group are empty unless the group is Stable.
type MemberDescription struct {
	MemberID, InstanceID, ClientID, ClientHost string
	Metadata, Assignment                       []byte
}

// Describe returns the current state of the group, with its members in the order in which they joined.
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
