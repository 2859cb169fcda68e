package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
)

// keepDays says for how long a topic keeps records, counted from their event time. The zero value keeps them forever.
type keepDays struct {
	n     int
	given bool // by the command line
}

func (d keepDays) duration() time.Duration {
	if d.n == 0 {
		return -1
	}
	return time.Duration(d.n) * 24 * time.Hour
}

// retention is how long topics that name persons keep them. The zero value keeps all: simulated and recorded days may be of years ago.
type retention struct{ drivers, messages keepDays }

// forgetting is the retention of new topics with persons of today.
var forgetting = retention{drivers: keepDays{n: wholeDays(drivers.DefaultKeep)}, messages: keepDays{n: wholeDays(customers.DefaultKeep)}}

func wholeDays(d time.Duration) int { return int(d / (24 * time.Hour)) }

// or returns the retention with that of another where none is given.
func (r retention) or(other retention) retention {
	if !r.drivers.given {
		r.drivers = other.drivers
	}
	if !r.messages.given {
		r.messages = other.messages
	}
	return r
}

// given reports whether the command line says how long a topic keeps records. If not, a topic that exists stays as it is.
func (r retention) given(topic string) bool {
	return topic == drivers.Days.Name() && r.drivers.given || topic == customers.Messages.Name() && r.messages.given
}

const keepUsage = "`DAYS` after which %s are deleted, because they are personal data; 0: never " +
	"(default: as the topic has it; a new one %d for vehicles of your own, else 0, because recordings may be of years ago)"

func (r *retention) driverFlag(flags *flag.FlagSet) {
	flags.Func("keep-drivers", fmt.Sprintf(keepUsage, "figures of drivers", forgetting.drivers.n), r.drivers.set(wholeDays(drivers.DefaultLate)))
}

func (r *retention) messageFlag(flags *flag.FlagSet) {
	flags.Func("keep-messages", fmt.Sprintf(keepUsage, "messages to customers", forgetting.messages.n), r.messages.set(1))
}

// set returns how a flag sets days; a positive number is at least least.
func (d *keepDays) set(least int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 36_500 {
			return errors.New("want a number of days, or 0 to keep them forever")
		}
		if n > 0 && n < least {
			return fmt.Errorf("want at least %d days, because that late a fix may come, or 0 to keep them forever", least)
		}
		*d = keepDays{n: n, given: true}
		return nil
	}
}
