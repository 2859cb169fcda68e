package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// measurement is one run of one contestant.
type measurement struct {
	outcome
	records int
	cpu     time.Duration // user + system, of the whole process
	system  time.Duration
	maxRSS  int64 // bytes
}

func (m measurement) perRecord() float64 { return float64(m.cpu.Nanoseconds()) / float64(m.records) }

func (m measurement) rate() float64 { return float64(m.records) / m.Wall.Seconds() }

// median returns the middle of what f says of the runs.
func median(runs []measurement, f func(measurement) float64) float64 {
	values := make([]float64, len(runs))
	for i, m := range runs {
		values[i] = f(m)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// report prints one line for each contestant: the median of its runs, and the smallest and largest CPU time.
func report(w io.Writer, names []string, runs map[string][]measurement) error {
	base := 0.0
	if of := runs[loop]; len(of) > 0 {
		base = median(of, measurement.perRecord)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "contestant\trecords\tCPU ns/record\tmin–max\tof it system\t× loop\trecords/s\tallocations/record\tGCs\tmax RSS MiB\t")
	for _, name := range names {
		of := runs[name]
		cpu := median(of, measurement.perRecord)
		ratio := "–"
		if base > 0 {
			ratio = fmt.Sprintf("%.2f", cpu/base)
		}
		least := slices.MinFunc(of, func(a, b measurement) int { return int(a.perRecord() - b.perRecord()) })
		most := slices.MaxFunc(of, func(a, b measurement) int { return int(a.perRecord() - b.perRecord()) })
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.0f–%.0f\t%.0f\t%s\t%.0f\t%.1f\t%.0f\t%.0f\t\n",
			name, of[0].records, cpu, least.perRecord(), most.perRecord(),
			median(of, func(m measurement) float64 { return float64(m.system.Nanoseconds()) / float64(m.records) }),
			ratio, median(of, measurement.rate),
			median(of, func(m measurement) float64 { return float64(m.Allocs) / float64(m.records) }),
			median(of, func(m measurement) float64 { return float64(m.GCs) }),
			median(of, func(m measurement) float64 { return float64(m.maxRSS) / (1 << 20) }))
	}
	return t.Flush()
}
