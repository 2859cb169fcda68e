package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
)

// heldTo is what drivers are held to without flags. No recording has the limits of roads.
var heldTo = drivers.Config{Limits: drivers.Limits{Fleet: 60}}

// limitFlags declares the flags that say what drivers are held to.
func (o *options) limitFlags(flags *flag.FlagSet) {
	limits := &o.management.Limits
	flags.Func("speed-limit", "`KM/H` above which a driver is too fast where no other limit holds (default 60; 0: none, so overspeed is not computed)",
		func(text string) (err error) {
			if text == "0" {
				limits.Fleet = 0
				return nil
			}
			limits.Fleet, err = speedOf(text)
			return err
		})
	flags.Func("vehicle-speed-limit", "`VEHICLE=KM/H`, instead of that of the fleet; may be given again for another vehicle", namedSpeed(&limits.Vehicles))
	flags.Func("route-speed-limit", "`ROUTE=KM/H`, instead of that of the fleet; of vehicle and route the lower counts; may be given again", namedSpeed(&limits.Routes))
	flags.Func("speed-tolerance", "`KM/H` that are added to each limit (default 5)", func(text string) (err error) {
		if text == "0" {
			o.management.Tolerance = -1 // none
			return nil
		}
		o.management.Tolerance, err = speedOf(text)
		return err
	})
}

// namedSpeed returns how a flag adds the speed of a name.
func namedSpeed(speeds *map[string]float64) func(string) error {
	return func(text string) error {
		at := strings.LastIndexByte(text, '=')
		if at < 1 {
			return errors.New("want a name and a speed, such as onibus-017=50")
		}
		name := text[:at]
		if before, ok := (*speeds)[name]; ok {
			return fmt.Errorf("%s has a limit already: %v km/h", name, before)
		}
		speed, err := speedOf(text[at+1:])
		if err != nil {
			return err
		}
		if *speeds = maps.Clone(*speeds); *speeds == nil {
			*speeds = map[string]float64{}
		}
		(*speeds)[name] = speed
		return nil
	}
}

func speedOf(text string) (float64, error) {
	speed, err := strconv.ParseFloat(text, 64)
	if err != nil || speed <= 0 || math.IsNaN(speed) || math.IsInf(speed, 0) {
		return 0, errors.New("want a speed in km/h, such as 60")
	}
	return speed, nil
}
