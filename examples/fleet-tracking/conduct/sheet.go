package conduct

import "cmp"

// Sheet names whose figures something counts for: those of a driver on a local day or, if nobody is known to drive, those of the
// vehicle. One of Driver and Vehicle is empty.
type Sheet struct {
	Driver  string `json:"motorista,omitempty"`
	Vehicle string `json:"veiculo,omitempty"`
	Day     string `json:"data"` // YYYYMMDD, local
}

// SheetOf returns the sheet of a driver, or of the vehicle if the driver is empty.
func SheetOf(driver, vehicle, day string) Sheet {
	if driver != "" {
		return Sheet{Driver: driver, Day: day}
	}
	return Sheet{Vehicle: vehicle, Day: day}
}

// Key returns the sheet as the key of a record, such as "motorista/ana/20260116" or "veiculo/onibus-017/20260116".
func (s Sheet) Key() string {
	if s.Driver != "" {
		return "motorista/" + s.Driver + "/" + s.Day
	}
	return "veiculo/" + s.Vehicle + "/" + s.Day
}

// Name returns the vehicle, or "driver:" and the driver.
func (s Sheet) Name() string {
	if s.Driver != "" {
		return "driver:" + s.Driver
	}
	return s.Vehicle
}

// Compare orders vehicles before drivers, by name and then by day.
func (s Sheet) Compare(t Sheet) int {
	return cmp.Or(cmp.Compare(s.Driver, t.Driver), cmp.Compare(s.Vehicle, t.Vehicle), cmp.Compare(s.Day, t.Day))
}
