package syncers

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
	"github.com/hivematrix/codex/store"
)

// inFlight is how many requests of a run go at once; the client's limiter has the last word.
const inFlight = 8

// machines is what was read from Datto RMM.
type machines struct {
	sites    []site // every site but pseudo ones, with its account number
	devices  []datto.Device
	bad      []wire.BadRecord
	complete map[string]bool // the sites whose devices were read completely, by uid
	all      bool            // the devices of all sites were
	unread   []string        // what could not be read
}

// devicesOf tells whether the devices of a site were read completely.
func (m machines) devicesOf(siteUID string) bool { return m.all || m.complete[siteUID] }

// machineBase is what the hub holds of them, and of those whom they belong to.
type machineBase struct {
	revisions map[string]int64
	companies []CompanyRecord
	sites     []SiteRecord
	assets    []AssetRecord
	links     []AssetLinkRecord
	people    map[codex.AccountNumber][]person
}

// syncDatto brings sites and assets to what Datto RMM holds. A site that cannot be read keeps its
// machines, and the run is partial.
func (e *Engine) syncDatto(ctx context.Context, run *Run) (Outcome, error) {
	var outcome Outcome
	read, err := e.readMachines(ctx, run)
	if err != nil {
		return outcome, err
	}
	verdicts := verdicts{devices: make(map[string]bool), sites: make(map[string]bool)}
	plan, err := e.settle(ctx, run, func(ctx context.Context) (FeedPlan, error) {
		outcome = Outcome{Unread: read.unread}
		base, err := e.machineBase(ctx)
		if err != nil {
			return FeedPlan{}, err
		}
		p := machinePlanner{read: read, base: base, guard: e.settings.guard(run), settings: e.settings}
		p.prepare()
		unread, err := e.confirmMachines(ctx, &p, verdicts)
		if err != nil {
			return FeedPlan{}, err
		}
		outcome.Unread = append(outcome.Unread, unread...)
		return p.plan(verdicts), nil
	})
	if err != nil {
		return outcome, err
	}
	outcome.add(run, plan.Steps...)
	for _, c := range outcome.Counts {
		outcome.held(c.Entity, c.Held, run.Request.DryRun)
	}
	return outcome, nil
}

func (e *Engine) readMachines(ctx context.Context, run *Run) (machines, error) {
	var read machines
	run.Phase("reading sites")
	// It names the account; where it cannot be read the sites do. A key that is refused is not tried again:
	// who does that too often is locked out.
	rate, err := e.datto.RequestRate(ctx)
	if keyRefused(err) || ctx.Err() != nil {
		return read, err
	}
	listed, err := e.datto.Sites(ctx)
	if err != nil {
		return read, err
	}
	if err := whole("sites", listed.Seen(), listed.Complete); err != nil {
		return read, err
	}
	account := rate.AccountUID
	for _, s := range listed.Items {
		if account == "" { // each site names the account too
			account = s.AccountUID
		}
	}
	if account != "" {
		if err := e.checkUpstream(ctx, run, upstreamDatto, account); err != nil {
			return read, err
		}
	}
	read.bad = listed.Bad
	if read.sites, err = e.readVariables(ctx, run, listed.Items); err != nil {
		return read, err
	}
	for _, s := range read.sites {
		if s.Unread != nil {
			read.unread = append(read.unread, fmt.Sprintf("Site %q could not be read: %s", s.Name, reasonOf(s.Unread)))
		}
	}
	return read, e.readDevices(ctx, run, &read)
}

// readVariables asks each site for its account number. One that fails is unread, not a failure of
// the run; a key that Datto refuses is.
func (e *Engine) readVariables(ctx context.Context, run *Run, listed []datto.Site) ([]site, error) {
	var sites []site
	for _, s := range listed {
		if !s.Pseudo() {
			sites = append(sites, site{Site: s})
		}
	}
	run.Phase("reading account numbers of sites")
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i := range sites {
		group.Go(func() error {
			s := &sites[i]
			variables, err := e.datto.SiteVariables(ctx, s.UID)
			switch {
			case transport.IsNotFound(err): // no such site any more: none
			case keyRefused(err) || ctx.Err() != nil:
				return err
			case err != nil:
				s.Unread = err
			default:
				s.Account = accountOf(variables.Items, e.settings.AccountVariable)
				if s.Account == "" && (len(variables.Bad) > 0 || !variables.Complete) {
					s.Unread = codex.Errorf(codex.CodeUnavailable, "its variables came incomplete")
				}
			}
			run.Progress(int(done.Add(1)), len(sites))
			return nil
		})
	}
	return sites, group.Wait()
}

// readDevices reads all devices in one listing; where that fails or comes short, site by site, so
// that one site's trouble stays its own.
func (e *Engine) readDevices(ctx context.Context, run *Run, read *machines) error {
	run.Phase("reading devices")
	listing, err := e.datto.AccountDevices(ctx)
	if err == nil && listing.Complete {
		read.devices, read.all = listing.Items, true
		read.bad = append(read.bad, listing.Bad...)
		return nil
	}
	if keyRefused(err) || ctx.Err() != nil {
		return err
	}
	run.Say("the list of all devices could not be read completely: reading site by site")
	read.complete = make(map[string]bool)
	listings := make([]wire.Listing[datto.Device], len(read.sites))
	failures := make([]error, len(read.sites))
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i := range read.sites {
		group.Go(func() error {
			listing, err := e.datto.SiteDevices(ctx, read.sites[i].UID)
			if keyRefused(err) || ctx.Err() != nil {
				return err
			}
			listings[i], failures[i] = listing, err
			run.Progress(int(done.Add(1)), len(read.sites))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, s := range read.sites {
		read.devices = append(read.devices, listings[i].Items...)
		read.bad = append(read.bad, listings[i].Bad...)
		switch {
		case transport.IsNotFound(failures[i]): // it has gone since: its machines are asked for one by one
			read.complete[s.UID] = true
		case failures[i] != nil:
			read.unread = append(read.unread, fmt.Sprintf("Devices of site %q could not be read: %s", s.Name, reasonOf(failures[i])))
		case !listings[i].Complete:
			read.unread = append(read.unread, fmt.Sprintf("Devices of site %q came incomplete: %d of %d.", s.Name, listings[i].Seen(), listings[i].Total))
		default:
			read.complete[s.UID] = true
		}
	}
	return nil
}

func (e *Engine) machineBase(ctx context.Context) (machineBase, error) {
	var base machineBase
	err := e.snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		base.revisions, err = tx.Revisions(ctx, "companies", "sites", "assets", "asset_links", "contacts", "contact_links")
		if err != nil {
			return err
		}
		if base.companies, err = load(ctx, tx, companies(), ""); err != nil {
			return err
		}
		if base.sites, err = load(ctx, tx, sites(), ""); err != nil {
			return err
		}
		if base.assets, err = load(ctx, tx, assets(), ""); err != nil {
			return err
		}
		if base.links, err = load(ctx, tx, assetLinks(), ""); err != nil {
			return err
		}
		everybody, err := load(ctx, tx, contacts(), "removed_at IS NULL")
		if err != nil {
			return err
		}
		belong, err := load(ctx, tx, contactLinks(), "")
		if err != nil {
			return err
		}
		base.people = peopleOf(everybody, belong)
		return nil
	})
	return base, err
}

// verdicts are what Datto's own answers say of devices and sites that are absent: gone or not.
type verdicts struct{ devices, sites map[string]bool }

// confirmMachines asks for what is absent, one by one, and names what could not be asked for.
func (e *Engine) confirmMachines(ctx context.Context, p *machinePlanner, v verdicts) (unread []string, err error) {
	suspects := slices.DeleteFunc(p.suspects(), func(a *AssetRecord) bool {
		_, asked := v.devices[a.UID.V]
		return asked
	})
	answers, err := askEach(ctx, e.db.Now, suspects, func(ctx context.Context, a *AssetRecord) (datto.Device, error) {
		return e.datto.Device(ctx, a.UID.V)
	})
	if err != nil {
		return nil, err
	}
	for i, a := range suspects {
		uid := a.UID.V
		device, err := answers[i].value, answers[i].err
		switch {
		case transport.IsNotFound(err):
			v.devices[uid] = true
		case err != nil:
			unread = append(unread, fmt.Sprintf("Asset %d (%s) is absent, and could not be asked for: %s", a.ID, a.Hostname, reasonOf(err)))
		default:
			v.devices[uid] = device.Deleted || p.belongsNowhere(device.SiteUID)
		}
	}
	absent := p.missingSites()
	sites, err := askEach(ctx, e.db.Now, absent, func(ctx context.Context, s *SiteRecord) (datto.Site, error) {
		return e.datto.Site(ctx, s.UID)
	})
	if err != nil {
		return nil, err
	}
	for i, s := range absent {
		err := sites[i].err
		if err != nil && !transport.IsNotFound(err) {
			unread = append(unread, fmt.Sprintf("Site %q is absent, and could not be asked for: %s", s.Name, reasonOf(err)))
			continue
		}
		v.sites[s.UID] = err != nil
	}
	return unread, nil
}
