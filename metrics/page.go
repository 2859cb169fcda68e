package metrics

import (
	"fmt"
	"strings"
)

// Page returns the table as the page docs/metrics.md.
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

The table of package ` + "`metrics`" + ` as a page: change it there, and run ` + "`go generate ./metrics`" + `.

All metrics of an application have the label ` + "`application`" + ` beside those in the table. A task is named as in the log,
` + "`<sub-topology>_<partition>`" + `. Counters count from the start of the process. Values of tasks are those of their last commit.
`
