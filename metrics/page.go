package metrics

import (
	"fmt"
	"strings"
)

// Page returns the contents of docs/metrics.md.
func Page() string {
	var page strings.Builder
	page.WriteString(pageHead)
	group := ""
	for _, m := range table {
		if m.group != group {
			group = m.group
			fmt.Fprintf(&page, "\n## %s\n\n| metric | kind, unit | labels | meaning | alert when |\n| --- | --- | --- | --- | --- |\n", group)
		}
		labels := "`" + strings.Join(m.Labels, "`, `") + "`"
		if len(m.Labels) == 0 {
			labels = ""
		}
		fmt.Fprintf(&page, "| `%s` | %s, %s | %s | %s | %s |\n", m.Name, m.Kind, m.Unit, labels, m.Help, m.Alert)
	}
	return page.String()
}

const pageHead = `# Metrics

This page is generated from the table in package ` + "`metrics`" + `. Change it there and run ` + "`go generate ./metrics`" + `.

All metrics of an application have the label ` + "`application`" + ` in addition to those in the table. Tasks are named as in the log,
` + "`<sub-topology>_<partition>`" + `. Counters start at 0 with the process. Values of tasks are those at their last commit.
`
