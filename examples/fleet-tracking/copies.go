package main

import (
	"errors"
	"regexp"
)

// version names one of several runs of all applications on one log. The zero value is the live one. The others are copies beside it, such
// as v2: they read the same inputs from the beginning, as applications of their own, and write to topics of their own. So a corrected
// definition can be compared with the live one, and take its place when it is right.
type version string

// replayCopy is the copy that -replay makes and deletes again.
const replayCopy version = "replay"

// prefix is that of the names of topics that the version writes.
func (v version) prefix() string {
	if v == "" {
		return ""
	}
	return string(v) + "-"
}

// application is the name of a copy of tracking or, if one is given, of a consumer. The live applications have the names of their
// topologies, for which the runner takes the empty name.
func (v version) application(consumer string) string {
	switch {
	case v == "":
		return ""
	case consumer == "":
		return "fleet-tracking-" + string(v)
	}
	return "fleet-tracking-" + string(v) + "-" + consumer
}

// A dash in a name would make the consumers of one copy another copy.
var versionName = regexp.MustCompile(`^[a-z0-9]+$`)

// set reads the flag -as.
func (v *version) set(name string) error {
	switch {
	case !versionName.MatchString(name):
		return errors.New("want a name of small letters and digits, such as v2")
	case version(name) == replayCopy:
		return errors.New("this name is that of -replay; take another one, such as v2")
	}
	*v = version(name)
	return nil
}
