package syncers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

func TestAStormOf429sIsWaitedForAsLongAsItAsks(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		h.stir(1)
		for _, feed := range codex.Feeds() {
			h.breaks("/api/v2/**", simulator.RateLimited(time.Second), simulator.After(3), simulator.Times(3))
			if run := h.meets(syncers.Request{Feed: feed}, codex.RunSucceeded); run.WaitedMs < 900 {
				t.Errorf("the run of %s waited %d ms", feed, run.WaitedMs)
			}
		}
		h.calm.sync()
		h.isAsTheCalmOne()
		h.breaks("/api/v2/departments", simulator.RateLimited(2*time.Hour)) // longer than a run can wait
		h.world.ForgetRequests()
		h.meets(syncers.Request{Feed: codex.FeedFreshservice}, codex.RunFailed)
		if n := h.world.CountRequests("", ""); n != 1 {
			t.Errorf("it was asked %d times", n)
		}
		h.converges()
	})
}

// Datto blocks who does not stop after a 429: then nothing is sent for five minutes.
func TestABlockAfterAStormIsLeftAlone(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		h.stir(1)
		h.breaks("/api/v2/**", simulator.RateLimited(0), simulator.From(simulator.Datto), simulator.Times(1))
		h.breaks("/api/v2/**", simulator.Refuse(403), simulator.From(simulator.Datto))
		run := h.meets(syncers.Request{Feed: codex.FeedDatto}, codex.RunFailed)
		if !strings.Contains(*run.Error, "blocked") {
			t.Errorf("the reason is %q", *run.Error)
		}
		h.world.ForgetRequests()
		h.expect(h.run(syncers.Request{Feed: codex.FeedDatto}), codex.RunFailed)
		if n := h.world.CountRequests(simulator.Datto, ""); n != 0 {
			t.Errorf("while it is blocked %d requests were sent", n)
		}
		h.converges() // an hour later
	})
}

func TestATokenThatExpiresInMidRunIsRenewedAndNothingIsMissed(t *testing.T) {
	shake(t, crowd(), func(t *testing.T, h *shaken) {
		h.stir(1)
		h.breaks("/api/v2/account/sites", simulator.ExpireTokens(), simulator.OnPage(1), simulator.Times(1))
		h.breaks("/api/v2/site/*/variables", simulator.ExpireTokens(), simulator.After(4), simulator.Times(1))
		h.breaks("/api/v2/account/devices", simulator.ExpireTokens(), simulator.OnPage(3), simulator.Times(1))
		logins := h.world.CountRequests(simulator.Datto, "/auth/oauth/token")
		h.meets(syncers.Request{Feed: codex.FeedDatto}, codex.RunSucceeded)
		if n := h.world.CountRequests(simulator.Datto, "/auth/oauth/token") - logins; n != 3 {
			t.Errorf("%d logins, for three tokens that expired", n)
		}
		h.converges()
	})
}

func TestWrongCredentialsFailAtOnceAndAreToldToNobody(t *testing.T) {
	const wrong = "hunter2-wrong"
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		h.stir(1)
		right := *h.world
		for _, test := range []struct {
			name  string
			spoil func()
			feeds []codex.Feed
		}{
			{"a key that Freshservice does not know", func() { h.world.FreshserviceKey = wrong }, []codex.Feed{codex.FeedFreshservice, codex.FeedTickets}},
			{"a public key that Datto does not know", func() { h.world.DattoPublicKey = wrong }, []codex.Feed{codex.FeedDatto}},
			{"a secret key that Datto does not know", func() { h.world.DattoSecretKey = wrong }, []codex.Feed{codex.FeedDatto}},
		} {
			spoiled := right
			h.world = &spoiled
			test.spoil()
			h.restart()
			for _, feed := range test.feeds {
				h.world.ForgetRequests()
				run := h.meets(syncers.Request{Feed: feed}, codex.RunFailed)
				if text := *run.Error + run.Output; strings.Contains(text, wrong) || strings.Contains(text, right.DattoSecretKey) {
					t.Errorf("%s: the run of %s says %q", test.name, feed, text)
				}
				if n := h.world.CountRequests("", ""); n != 1 {
					t.Errorf("%s: %s asked %d times", test.name, feed, n)
				}
			}
		}
		h.world = &right
		h.restart()
		for _, path := range []string{"/api/v2/requesters", "/api/v2/tickets/*/time_entries", "/api/v2/site/*/variables", "/api/v2/account/devices"} {
			h.stir(len(path)) // the key is taken away in mid-run; Datto's login refuses it too
			h.breaks(path, simulator.Refuse(401), simulator.After(1))
			h.breaks("/auth/oauth/token", simulator.Refuse(400))
			h.meets(syncers.Request{Feed: feedOf(path)}, codex.RunFailed)
			h.world.ClearFaults()
		}
		h.converges()
	})
}

func TestAnUpstreamThatTricklesIsGivenUpAndASlowOneIsNot(t *testing.T) {
	shake(t, tiny(), func(t *testing.T, h *shaken) {
		h.tuning.Tries, h.tuning.Attempt = 2, 400*time.Millisecond
		h.restart()
		for i, test := range []struct {
			path  string
			state codex.RunState
		}{
			{"/api/v2/requesters", codex.RunFailed}, {"/api/v2/account/sites", codex.RunFailed},
			{"/api/v2/account/devices", codex.RunSucceeded}, {"/api/v2/tickets", codex.RunFailed},
		} {
			h.stir(i)
			h.breaks(test.path, simulator.Trickle(1, 20*time.Millisecond))
			h.meets(syncers.Request{Feed: feedOf(test.path)}, test.state)
			h.world.ClearFaults()
		}
		h.stir(9)
		h.tuning = impatient()
		h.restart()
		h.breaks("/api/v2/**", simulator.Trickle(4096, 2*time.Millisecond))
		for _, feed := range codex.Feeds() {
			h.meets(syncers.Request{Feed: feed}, codex.RunSucceeded)
		}
		h.calm.sync()
		h.isAsTheCalmOne()
		h.converges()
	})
}

// An upstream's clock may be an hour ahead of ours, or behind.
func TestClocksThatDisagreeByAnHourLoseNoTicket(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		for i, skew := range []time.Duration{time.Hour, -time.Hour} {
			h.must(h.world.Switch(func(s *simulator.Switches) { s.ClockSkew = skew }))
			for step := range 3 {
				h.pass(13 * time.Minute) // the skew is much longer than the time between runs
				h.world.Evolve(uint64(10*i + step))
				for range 2 { // what is updated while a run is at work is seen by the next one
					h.sync()
				}
				h.check()
			}
			h.pass(48 * time.Hour)
		}
	})
}
