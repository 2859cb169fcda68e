package freight_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/rio-streams/rio/examples/fleet-tracking/freight"
)

// A vehicle has two deliveries, and a driver.
func Example() {
	dir, err := os.MkdirTemp("", "freight")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			log.Fatal(err)
		}
		return path
	}
	plan, err := freight.Load(freight.Files{
		Deliveries: write("entregas.csv", `entrega,cliente,lat,lon,de,ate,veiculo
e1,Ana,-22.90,-43.20,2026-03-02T09:00:00-03:00,2026-03-02T10:00:00-03:00,ABC1D23
e2,Bia,-22.95,-43.20,2026-03-02T10:00:00-03:00,2026-03-02T12:00:00-03:00,ABC1D23
`),
		Drivers: write("motoristas.csv", `motorista,veiculo,de,ate
caio,ABC1D23,2026-03-02T08:00:00-03:00,2026-03-02T18:00:00-03:00
`),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, trip := range plan.Trips {
		fmt.Println(trip.ID, "has", len(trip.Stops), "stops")
	}
	for _, drive := range plan.Assignments["ABC1D23"].Drives {
		fmt.Println(drive.Driver, "drives", drive.Trip)
	}
	// Output:
	// ABC1D23@20260302 has 2 stops
	// caio drives ABC1D23@20260302
}
