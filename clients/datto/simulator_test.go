package datto_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/simulator"
)

// The simulator is written from the contract, not from this client: they meet here.
func TestTheWholeOfASimulatedAccountIsRead(t *testing.T) {
	sim, err := simulator.Start(t.Context(), simulator.Options{Companies: 20, Contacts: -1, Assets: 700, Tickets: -1}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	client, err := datto.New(datto.Options{
		BaseURL: sim.DattoURL, PublicKey: sim.DattoPublicKey, SecretKey: codex.Secret(sim.DattoSecretKey),
		Now: time.Now, Logger: slog.New(slog.DiscardHandler), Tuning: quick,
	})
	if err != nil {
		t.Fatal(err)
	}
	truth := sim.Truth()

	rate, err := client.RequestRate(t.Context())
	if err != nil || rate.AccountUID != truth.AccountUID {
		t.Errorf("account %q, %v", rate.AccountUID, err)
	}
	sites, err := client.Sites(t.Context())
	if err != nil || !sites.Complete || len(sites.Items) != len(truth.Sites) || len(sites.Bad) > 0 {
		t.Errorf("%d sites of %d, complete %v, %v", sites.Seen(), len(truth.Sites), sites.Complete, err)
	}
	sim.ExpireDattoTokens() // in the middle of the run
	devices, err := client.AccountDevices(t.Context())
	if err != nil || !devices.Complete || len(devices.Bad) > 0 {
		t.Errorf("complete %v, bad %v, %v", devices.Complete, devices.Bad, err)
	}
	var got, want []string
	for _, device := range devices.Items {
		got = append(got, device.UID)
	}
	for _, device := range truth.Devices {
		want = append(want, device.UID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d devices were read, %d there are", len(got), len(want))
	}
	fromSites := 0
	for _, site := range sites.Items {
		list, err := client.SiteDevices(t.Context(), site.UID)
		if err != nil || !list.Complete {
			t.Errorf("devices of %s: complete %v, %v", site.UID, list.Complete, err)
		}
		fromSites += list.Seen()
		if site.Pseudo() {
			continue
		}
		if variables, err := client.SiteVariables(t.Context(), site.UID); err != nil || !variables.Complete {
			t.Errorf("variables of %s: complete %v, %v", site.UID, variables.Complete, err)
		}
	}
	if fromSites != len(want) {
		t.Errorf("%d devices were read site by site, %d there are", fromSites, len(want))
	}
}
