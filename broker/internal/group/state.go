package group

// State is the state of a group.
type State int8

const (
	// Empty: the group has no members; there may be committed offsets.
	Empty State = iota
	// PreparingRebalance: the members have to join again; those that have joined wait for the others.
	PreparingRebalance
	// CompletingRebalance: all members have joined and wait for the leader's assignment.
	CompletingRebalance
	// Stable: every member has, or can request, its assignment.
	Stable
	// Dead: the group has been deleted.
	Dead
)

// String returns the name that Kafka's DescribeGroups and ListGroups use.
func (s State) String() string {
	return [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"}[s]
}
