package syncers_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// switched is a way in which an upstream may behave, and what a hub makes of it.
type switched struct {
	name string // the field of simulator.Switches, and which form of it
	on   func(*simulator.Switches)
	slow bool // it waits in real time
	// blind tells that something is not told while it is on: the hub keeps what it has, and differs from
	// the world in what is new.
	blind bool
	full  bool // what was not told meanwhile is read again by a full sync alone
}

func switches() []switched {
	return []switched{
		{name: "Strict30", on: func(s *simulator.Switches) { s.Strict30 = true }},
		{name: "DateOnly", on: func(s *simulator.Switches) { s.DateOnly = true }},
		{name: "FilterPageCap", on: func(s *simulator.Switches) { s.FilterPageCap = simulator.FilterPages }},
		{name: "IndexLag", on: func(s *simulator.Switches) { s.IndexLag = 20 * time.Minute }},
		{name: "ListInclude400", on: func(s *simulator.Switches) { s.ListInclude400 = true }, full: true}, // when a ticket was closed
		{name: "Burst429", on: func(s *simulator.Switches) { s.Burst429 = true }, slow: true},
		{name: "MSPShapes", on: func(s *simulator.Switches) { s.MSPShapes = true }},
		{name: "MissingKeys", on: func(s *simulator.Switches) { s.MissingKeys = true }},
		{name: "NumberPhones", on: func(s *simulator.Switches) { s.NumberPhones = true }},
		{name: "V2WithoutUDF", on: func(s *simulator.Switches) { s.V2WithoutUDF = true }, blind: true},
		{name: "WithoutTotalCount", on: func(s *simulator.Switches) { s.WithoutTotalCount = true }},
		{name: "LastPage null", on: func(s *simulator.Switches) { s.LastPage = simulator.LastPageNull }},
		{name: "LastPage blank", on: func(s *simulator.Switches) { s.LastPage = simulator.LastPageBlank }},
		{name: "LastPage absent", on: func(s *simulator.Switches) { s.LastPage = simulator.LastPageAbsent }},
		{name: "ClockSkew ahead", on: func(s *simulator.Switches) { s.ClockSkew = time.Hour }},
		{name: "ClockSkew behind", on: func(s *simulator.Switches) { s.ClockSkew = -time.Hour }},
	}
}

func TestEverySwitchOfTheSimulatorHasACaseThatTurnsItAndNoOther(t *testing.T) {
	fields := reflect.TypeFor[simulator.Switches]()
	var met []string
	for _, c := range switches() {
		var turned simulator.Switches
		c.on(&turned)
		for i := range fields.NumField() {
			name := fields.Field(i).Name
			is, was := reflect.ValueOf(turned).Field(i).Interface(), reflect.ValueOf(simulator.Switches{}).Field(i).Interface()
			if own := name == strings.Fields(c.name)[0]; (is != was) != own {
				t.Errorf("the case %s leaves %s at %v", c.name, name, is)
			}
		}
		met = append(met, strings.Fields(c.name)[0])
	}
	for i := range fields.NumField() {
		if name := fields.Field(i).Name; !slices.Contains(met, name) {
			t.Errorf("no case turns the switch %s", name)
		}
	}
}

// An upstream may behave in each of these ways for a while, and then as before.
func TestEverySwitchIsUnderstoodAndLeavesNothingBehind(t *testing.T) {
	shake(t, small(), func(t *testing.T, h *shaken) {
		pages := h.wire.Transport.(smallPages).RoundTripper // as they are: some switches are about their size
		h.wire.Transport = pages
		h.restart()
		h.calm.restart()
		h.must(h.long())
		for i, c := range switches() {
			h.stir(i)
			h.must(h.world.Switch(c.on))
			if c.slow { // a third call within a second is refused, and asked again a second later
				h.wire.Transport = ticking{pages, h.clock}
				h.restart()
			}
			for range 2 {
				h.pass(time.Minute)
				for _, feed := range codex.Feeds() {
					h.meets(syncers.Request{Feed: feed}, codex.RunSucceeded)
				}
				if !c.blind {
					h.check()
				}
			}
			h.must(h.world.Switch(func(s *simulator.Switches) { *s = simulator.Switches{} }))
			if c.slow {
				if !slices.ContainsFunc(h.world.Requests(), func(r simulator.Request) bool { return r.Status == http.StatusTooManyRequests }) {
					t.Error("no call was refused")
				}
				h.wire.Transport = pages
				h.restart()
			}
			if c.full {
				h.meets(syncers.Request{Feed: codex.FeedTickets, Mode: codex.ModeFull}, codex.RunSucceeded)
			}
			h.converges()
			if t.Failed() {
				t.Fatal(c.name)
			}
		}
	})
}

// long adds a closed ticket with more entries and conversations than a page of 30 has.
func (h *shaken) long() error {
	entries := make([]simulator.TimeEntry, 65)
	for i := range entries {
		entries[i] = simulator.TimeEntry{TimeSpent: new("00:10")}
	}
	ticket := h.closed(h.customers()[0].ID, entries...)
	for range 61 {
		if _, err := h.world.AddConversation(ticket, simulator.Conversation{Body: "more", BodyText: "more"}); err != nil {
			return err
		}
	}
	return nil
}

// ticking lets time pass with each request.
type ticking struct {
	http.RoundTripper
	clock *clock
}

func (c ticking) RoundTrip(r *http.Request) (*http.Response, error) {
	c.clock.passed.Add(int64(400 * time.Millisecond))
	return c.RoundTripper.RoundTrip(r)
}
