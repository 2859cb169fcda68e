package main

import (
	"cmp"
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
	cpu     time.Duration // user and system time of the whole process
	system  time.Duration
	maxRSS  int64 // bytes
}

func (m measurement) perRecord() float64 { return float64(m.cpu.Nanoseconds()) / float64(m.records) }

func (m measurement) rate() float64 { return float64(m.records) / m.Wall.Seconds() }

// median returns the median of f over the runs.
func median(runs []measurement, f func(measurement) float64) float64 {
	values := make([]float64, len(runs))
	for i, m := range runs {
		values[i] = f(m)
	}
	return middle(values)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio returns the median of f over the runs divided by f over another contestant's runs in the same rounds. A
// temporary slowdown of the machine affects both.
func ratio(runs, others []measurement, f func(measurement) float64) string {
	if len(others) != len(runs) {
		return "–"
	}
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = f(runs[i]) / f(others[i])
	}
	return fmt.Sprintf("%.2f", middle(values))
}

// report prints one line per contestant: the medians of its runs, and the smallest and largest CPU time.
func report(w io.Writer, names []string, runs map[string][]measurement) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "contestant\trecords\tCPU ns/record\tmin–max\tof it system\t× loop\t× rio\trecords/s\t× rio\tallocations/record\tGCs\tmax RSS MiB\t")
	for _, name := range names {
		of := runs[name]
		cpu := func(a, b measurement) int { return cmp.Compare(a.perRecord(), b.perRecord()) }
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.0f–%.0f\t%.0f\t%s\t%s\t%.0f\t%s\t%.1f\t%.0f\t%.0f\t\n",
			name, of[0].records, median(of, measurement.perRecord), slices.MinFunc(of, cpu).perRecord(), slices.MaxFunc(of, cpu).perRecord(),
			median(of, func(m measurement) float64 { return float64(m.system.Nanoseconds()) / float64(m.records) }),
			ratio(of, runs[loop], measurement.perRecord), ratio(of, runs["rio"], measurement.perRecord),
			median(of, measurement.rate), ratio(of, runs["rio"], measurement.rate),
			median(of, func(m measurement) float64 { return float64(m.Allocs) / float64(m.records) }),
			median(of, func(m measurement) float64 { return float64(m.GCs) }),
			median(of, func(m measurement) float64 { return float64(m.maxRSS) / (1 << 20) }))
	}
	return t.Flush()
}
