package group

// State says where a group is in its circle.
type State int8

const (
	// Empty: nobody belongs to the group; there may be committed offsets.
	Empty State = iota
	// PreparingRebalance: the members have to join again, and those who have wait for the others.
	PreparingRebalance
	// CompletingRebalance: everyone has joined, and waits for the leader's assignment.
	CompletingRebalance
	// Stable: every member has, or can fetch, its assignment.
	Stable
	// Dead: the group has been deleted.
	Dead
)

// String returns the name that Kafka's DescribeGroups and ListGroups use.
func (s State) String() string {
	return [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"}[s]
}
