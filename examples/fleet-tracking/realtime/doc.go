// Package realtime asks a server for the vehicle positions of GTFS-realtime (https://gtfs.org/documentation/realtime/reference/).
//
// Fetch returns what is new since the positions that Done has last been told of:
//
//	feed := realtime.NewFeed("https://example.org/vehicle-positions", &http.Client{Timeout: 30 * time.Second})
//	positions, err := feed.Fetch(ctx, time.Now())
//	... // write them
//	feed.Done(positions, time.Now())
//
// A Feed belongs to one goroutine. When to ask again is up to the caller; Backoff says how long to wait. A Feed that is made anew knows
// nothing of the positions before.
package realtime
