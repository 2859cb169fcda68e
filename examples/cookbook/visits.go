package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// Click is a click of a user on a page, in topic cliques by the page.
type Click struct {
	User string `json:"usuario"`
	Page string `json:"pagina"`
}

// Visit is what a user does without a pause of half an hour.
type Visit struct {
	Clicks int    `json:"cliques"`
	First  string `json:"primeira"`
	Last   string `json:"ultima"`
}

var (
	sessions = topology.Sessions(30 * time.Minute).Grace(10 * time.Minute)

	Clicks = topology.NewTopic("cliques", codec.String, codec.JSON[Click]())
	Visits = topology.NewTopic("visitas-encerradas", topology.WindowCodec(sessions, codec.String), codec.JSON[Visit]())
)

// visits makes one record of each visit, when it has ended.
func visits() (*topology.Topology, error) {
	b := topology.NewBuilder("visitas")

	byUser := topology.KeyBy(topology.From(b, Clicks), "por-usuario", Click.UserID)
	visits := topology.Aggregate(topology.Window(byUser, sessions), "visitas", Visit.Add).Merging(Visit.Merge)
	topology.Final(visits).To(Visits)

	return b.Build()
}

// UserID returns the user.
func (c Click) UserID() string { return c.User }

// Add returns the visit with one more click.
func (v Visit) Add(c Click) Visit { return v.Merge(Visit{1, c.Page, c.Page}) }

// Merge returns the visit that v and a later one are together.
func (v Visit) Merge(later Visit) Visit {
	if v.Clicks == 0 {
		return later
	}
	return Visit{v.Clicks + later.Clicks, v.First, later.Last}
}
