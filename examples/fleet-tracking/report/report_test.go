package report_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
)

func TestWrite(t *testing.T) {
	var r report.Report
	r.AddSpeed("onibus-2", fleet.Seconds(300), fleet.Speed{Count: 2, Sum: 25, Mean: 12.5, Max: 13})
	r.AddSpeed("onibus-2", fleet.Seconds(0), fleet.Speed{Count: 1, Sum: 3, Mean: 3, Max: 3})
	r.AddSpeed("onibus-2", fleet.Seconds(0), fleet.Speed{Count: 3, Sum: 1, Mean: 1. / 3, Max: 1})
	r.AddSpeed("onibus-1", fleet.Seconds(300), fleet.Speed{Count: 1})

	off := fleet.Deviation{Seq: 10, Vehicle: "onibus-1", Trip: "t:1:a", Day: "20260116", Instant: fleet.Seconds(40), Distance: 101}
	r.AddDeviation(off)
	off.Seq, off.Instant, off.Distance = 11, fleet.Seconds(50), 250.5
	off.Episode = &fleet.Episode{First: fleet.Seconds(40), Last: fleet.Seconds(50), Fixes: 2, Max: 250.5}
	r.AddDeviation(off)
	off.Seq, off.Instant, off.Distance = 9, fleet.Seconds(60), 120
	off.Episode = &fleet.Episode{First: fleet.Seconds(40), Last: fleet.Seconds(60), Fixes: 3, Max: 250.5}
	r.AddDeviation(off)

	arrival := fleet.Arrival{Vehicle: "onibus-1", Trip: "t:1:a", Day: "20260116", Sequence: 10, Arrived: 1768585253429, Delay: 12.429}
	r.AddArrival(arrival)
	arrival.Sequence, arrival.Arrived, arrival.Delay = 2, fleet.Seconds(1768585200), -60
	r.AddArrival(arrival)

	r.AddMotion("onibus-2", fleet.Seconds(0), fleet.PositionSpeed{}.Add(fleet.Motion{
		Fixes: 3, Pairs: 2, Distance: fleet.Metres(1200), Time: 240_000, Moving: 120_000, Way: fleet.Metres(1140.5),
	}))
	r.AddMotion("onibus-1", fleet.Seconds(300), fleet.PositionSpeed{}.Add(fleet.Motion{Fixes: 1, Gaps: 1}))
	r.AddAccount("onibus-1", fleet.Account{Rows: 4, Fixes: 2, Late: 2, Undated: 4, LeftOut: map[fleet.Reason]int64{fleet.Repeat: 2}})
	r.AddAccount("onibus-2", fleet.Account{Rows: 5, Fixes: 3, LeftOut: map[fleet.Reason]int64{fleet.Repeat: 1, fleet.NoTime: 1}})
	r.AddUnreadable(1)
	r.AddUnused(fleet.Unused{Vehicle: "onibus-2", Trip: "t:9:a", Instant: fleet.Seconds(10), Reason: fleet.UnknownTrip})

	dir := filepath.Join(t.TempDir(), "new")
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		report.SpeedWindows: "vehicle_id,window_start,count,sum_speed_mps,avg_speed_mps,max_speed_mps\n" +
			"onibus-1,300,1,0,0,0\n" +
			"onibus-2,0,3,1,0.3333333333333333,1\n" +
			"onibus-2,300,2,25,12.5,13\n",
		report.DeviationPoints: "seq,vehicle_id,trip_id,distance_to_shape_m\n" +
			"9,onibus-1,t:1:a,120\n10,onibus-1,t:1:a,101\n11,onibus-1,t:1:a,250.5\n",
		report.DeviationEpisodes: "vehicle_id,trip_id,trip_start_date,first_ts,last_ts,fixes,max_m\n" +
			"onibus-1,t:1:a,20260116,40,60,3,250.5\n",
		report.Arrivals: "vehicle_id,trip_id,trip_start_date,stop_sequence,arrival_ts,delay_s\n" +
			"onibus-1,t:1:a,20260116,2,1768585200,-60\n" +
			"onibus-1,t:1:a,20260116,10,1768585253.429,12.429\n",
		report.PositionSpeeds: "vehicle,window_start,distance_m,time_s,moving_s,standing_s,speed_mps,moving_speed_mps,covered,partial," +
			"reported_n,reported_mean_mps,reported_max_mps,reported_time_weighted_mps,odometer_m,distance_of_odometer_pairs_m\n" +
			"onibus-1,300,0,0,0,0,,,0,1,1,0,0,,,\n" +
			"onibus-2,0,1200,240,120,120,5,9.504166666666666,0.8,0,3,0.3333333333333333,1,,,\n",
		report.Accounts: "key,value\naccount_rows,10\naccount_fixes,5\naccount_unreadable,1\naccount_no_time,1\naccount_no_vehicle,0\n" +
			"account_no_position,0\naccount_zero_position,0\naccount_outside_the_globe,0\naccount_clock_ahead,0\naccount_clock_behind,0\n" +
			"account_repeat,3\nrows_without_arrival,4\npairs_clean,2\npairs_gap,1\npairs_jump,0\n" +
			"fixes_late,2\nfixes_no_trip,0\nfixes_unknown_trip,1\nfixes_bad_day,0\nfixes_no_shape_and_no_stops,0\nfixes_overtaken,0\n" +
			"fixes_swapped_suspected,0\nfixes_off_route,0\nfixes_implausible_place,0\n",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is\n%swant\n%s", name, got, want)
		}
	}
}
