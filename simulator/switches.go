package simulator

import (
	"fmt"
	"slices"
	"time"
)

// Switches turn on how an upstream behaves at some accounts or at some times: what was observed
// against the documents, or what the documents leave open. All are off in the zero value. They may
// be changed while the simulator runs, by Switch or the control face; an answer is made under the
// switches of one moment.
type Switches struct {
	// Strict30 keeps the ticket filter, time entries and conversations at the 30 records a page that
	// their documents name, whatever per_page asks for.
	Strict30 bool `json:"strict30"`

	// DateOnly cuts the times in a query to their day, as the format note of the ticket filter has
	// it: `updated_at:>'2025-01-15T10:30:00Z'` holds from midnight on.
	DateOnly bool `json:"date_only"`

	// FilterPageCap is the last page that the ticket filter serves, FilterPages as observed; beyond
	// it is 400. 0 is none.
	FilterPageCap int `json:"filter_page_cap"`

	// IndexLag is how late the search index is, at most IndexLagLimit: the ticket filter and the
	// requester search find records by what they were so long ago. What they find is shown as it is
	// now, and not at all where it is gone (choice).
	IndexLag time.Duration `json:"index_lag_ns"`

	// ListInclude400 refuses every embed on the ticket list, as one client met it.
	ListInclude400 bool `json:"list_include_400"`

	// Burst429 refuses a Freshservice call that is the third within a second, while the figures in
	// the headers still leave room. Its 429 asks for one second.
	Burst429 bool `json:"burst_429"`

	// MSPShapes are those of Freshservice for MSPs: departments without head, prime user and domains,
	// of one workspace, one of them under the key `departments` with a text as id; requesters under
	// the key `requester`, by belongs_to_workspace_ids; time entries with end_time and work_type.
	MSPShapes bool `json:"msp_shapes"`

	// MissingKeys leaves out of Freshservice's records what is null, and sends null for an empty
	// array.
	MissingKeys bool `json:"missing_keys"`

	// NumberPhones sends Freshservice's phones as numbers, as their documents have it.
	NumberPhones bool `json:"number_phones"`

	// V2WithoutUDF leaves `udf` out of every device of Datto RMM's v2, as the specification of build
	// 235 has it; v3 shows the fields.
	V2WithoutUDF bool `json:"v2_without_udf"`

	// WithoutTotalCount leaves `totalCount` out of Datto RMM's pageDetails.
	WithoutTotalCount bool `json:"without_total_count"`

	// LastPage is what nextPageUrl is on Datto RMM's last page.
	LastPage LastPage `json:"last_page"`

	// ClockSkew is how far the simulator's clock is ahead of Options.Now (behind, where negative): in
	// records, limits, tokens and the header Date. Made with it, a world's data is of that time too.
	ClockSkew time.Duration `json:"clock_skew_ns"`
}

// FilterPages is the last page of the ticket filter where it has one (O).
const FilterPages = 10

// IndexLagLimit is the longest IndexLag: an index is minutes late, and nothing older is remembered.
const IndexLagLimit = time.Hour

// LastPage is a form of nextPageUrl where there is no next page.
type LastPage string

// The forms of the last page's nextPageUrl; all were observed.
const (
	LastPageOwn    LastPage = ""       // each endpoint has one of its own, null or ""
	LastPageNull   LastPage = "null"   // null
	LastPageBlank  LastPage = "blank"  // ""
	LastPageAbsent LastPage = "absent" // the key is not sent
)

func (sw Switches) check() error {
	switch {
	case sw.FilterPageCap < 0:
		return fmt.Errorf("filter_page_cap is no negative number")
	case sw.IndexLag < 0 || sw.IndexLag > IndexLagLimit:
		return fmt.Errorf("index_lag is from 0 to %v", IndexLagLimit)
	}
	forms := []LastPage{LastPageOwn, LastPageNull, LastPageBlank, LastPageAbsent}
	if !slices.Contains(forms, sw.LastPage) {
		return fmt.Errorf("there is no last_page %q; there are %q", sw.LastPage, forms)
	}
	return nil
}

// Switches are those that are on now.
func (s *Sim) Switches() Switches { return *s.switches.Load() }

// Switch changes the switches from the next answer on; change must not call the simulator. Values that
// make no sense change nothing.
func (s *Sim) Switch(change func(*Switches)) error {
	s.mu.Lock() // two changes at once both count, and no answer is under way
	defer s.mu.Unlock()
	changed := s.Switches()
	change(&changed)
	if err := changed.check(); err != nil {
		return fmt.Errorf("switch the simulator: %w", err)
	}
	s.switches.Store(&changed)
	return nil
}

// clock is the simulator's clock: Options.Now and the skew.
func (s *Sim) clock() time.Time { return s.opts.Now().Add(s.switches.Load().ClockSkew) }
