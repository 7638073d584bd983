package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// controlPrefix is where the control face lies on the Freshservice listener.
const controlPrefix = "/_simulator/"

// controlBodyLimit bounds what a control call may send.
const controlBodyLimit = 1 << 20

// ControlHandler serves the control face under /_simulator/, for whoever runs the simulator by hand.
// It answers this machine only and asks no credential.
//
//	GET    /_simulator/            what there is
//	GET    /_simulator/truth       the world's records
//	GET    /_simulator/fixtures    where the awkward cases are
//	GET    /_simulator/requests    the calls so far; ?upstream=, ?path= (a pattern), ?last=N
//	DELETE /_simulator/requests    forgets them
//	POST   /_simulator/evolve      a batch of random changes; ?seed=N, ?steps=N
//	POST   /_simulator/change/NAME one change; its arguments as a JSON object
//	GET    /_simulator/faults      the fault rules
//	POST   /_simulator/faults      adds one, a FaultRule as JSON
//	DELETE /_simulator/faults      takes all off
//	POST   /_simulator/tokens      (no body) expires every Datto token
//	GET    /_simulator/switches    the switches
//	POST   /_simulator/switches    changes those that the JSON object names
//	GET    /_simulator/webhooks    the announcements so far
//	POST   /_simulator/webhooks    where changes are announced from now on, a Webhook as JSON
//	GET    /_simulator/ledger      how Ledger is set up, and the numbers of the bills that C keeps
//	POST   /_simulator/ledger      sets it up anew, as far as the JSON object names it
//	GET    /_simulator/plans       the file of billing plans
func (s *Sim) ControlHandler() http.Handler {
	mux := http.NewServeMux()
	serve := func(pattern string, do func(*http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+controlPrefix+path, func(w http.ResponseWriter, r *http.Request) {
			if !onLoopback(r) {
				write(w, answer{status: http.StatusForbidden, body: envelope{{"error", "only from this machine"}}})
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, controlBodyLimit)
			result, err := do(r)
			switch {
			case errors.Is(err, ErrNoRecord):
				write(w, answer{status: http.StatusNotFound, body: envelope{{"error", err.Error()}}})
			case err != nil:
				write(w, answer{status: http.StatusBadRequest, body: envelope{{"error", err.Error()}}})
			default:
				write(w, answer{status: http.StatusOK, body: result})
			}
		})
	}
	changes := s.changes()
	serve("GET {$}", func(*http.Request) (any, error) { return controlIndex(changes), nil })
	serve("GET truth", func(*http.Request) (any, error) { return s.Truth(), nil })
	serve("GET fixtures", func(*http.Request) (any, error) { return s.Fixtures(), nil })
	serve("GET requests", s.controlRequests)
	serve("DELETE requests", func(*http.Request) (any, error) { s.ForgetRequests(); return envelope{}, nil })
	serve("POST evolve", s.controlEvolve)
	serve("POST change/{name}", func(r *http.Request) (any, error) {
		change, known := changes[r.PathValue("name")]
		if !known {
			return nil, fmt.Errorf("there is no change %q; there are %v", r.PathValue("name"), slices.Sorted(maps.Keys(changes)))
		}
		var args changeArguments
		if err := readJSON(r.Body, &args); err != nil {
			return nil, err
		}
		return change.make(args)
	})
	serve("GET faults", func(*http.Request) (any, error) { return envelope{{"faults", s.Faults()}}, nil })
	serve("POST faults", func(r *http.Request) (any, error) {
		var rule FaultRule
		if err := readJSON(r.Body, &rule); err != nil {
			return nil, err
		}
		_, err := s.AddFault(rule)
		return envelope{{"faults", s.Faults()}}, err
	})
	serve("DELETE faults", func(*http.Request) (any, error) { s.ClearFaults(); return envelope{}, nil })
	serve("GET switches", func(*http.Request) (any, error) { return s.Switches(), nil })
	serve("POST switches", s.controlSwitches)
	serve("GET webhooks", func(*http.Request) (any, error) { return envelope{{"webhooks", s.Webhooks()}}, nil })
	serve("POST webhooks", func(r *http.Request) (any, error) {
		var target Webhook
		if err := readJSON(r.Body, &target); err != nil {
			return nil, err
		}
		return envelope{{"url", target.URL}}, s.SetWebhook(target)
	})
	serve("GET ledger", func(*http.Request) (any, error) { return s.shownLedger() })
	serve("POST ledger", func(r *http.Request) (any, error) {
		settings := s.Ledger()
		if err := readJSON(r.Body, &settings); err != nil {
			return nil, err
		}
		if err := s.SetLedger(settings); err != nil {
			return nil, err
		}
		return s.shownLedger()
	})
	serve("GET plans", func(*http.Request) (any, error) { return PlansFile(), nil })
	serve("POST tokens", func(*http.Request) (any, error) { s.ExpireDattoTokens(); return envelope{}, nil })
	return mux
}

// readJSON reads one JSON object without unknown keys; nothing at all is an empty one.
func readJSON(body io.Reader, into any) error {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the body: %w", err)
	}
	return nil
}

func controlIndex(changes map[string]namedChange) any {
	described := envelope{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		described = append(described, member{name, changes[name].arguments})
	}
	return envelope{
		{"get", []string{"truth", "fixtures", "requests?upstream=&path=&last=", "faults", "switches", "webhooks", "ledger", "plans"}},
		{"post", []string{"evolve?seed=&steps=", "change/NAME", "faults", "tokens", "switches", "webhooks", "ledger"}},
		{"delete", []string{"requests", "faults"}},
		{"changes", described},
	}
}

func (s *Sim) controlRequests(r *http.Request) (any, error) {
	query := r.URL.Query()
	matches := pathMatcher(query.Get("path"))
	upstream := Upstream(query.Get("upstream"))
	list := slices.DeleteFunc(s.Requests(), func(q Request) bool {
		return upstream != "" && upstream != q.Upstream || !matches(q.Path)
	})
	total := len(list)
	if query.Has("last") {
		last, err := strconv.Atoi(query.Get("last"))
		if err != nil || last < 0 {
			return nil, errors.New("last is to be a number")
		}
		list = list[max(0, len(list)-last):]
	}
	return envelope{{"total", total}, {"requests", list}}, nil
}

// controlSwitches changes the switches that are named, and tells all.
func (s *Sim) controlSwitches(r *http.Request) (any, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	var unreadable error
	err = s.Switch(func(sw *Switches) {
		changed := *sw
		if unreadable = readJSON(bytes.NewReader(text), &changed); unreadable == nil {
			*sw = changed
		}
	})
	return s.Switches(), errors.Join(unreadable, err)
}

// controlEvolve makes steps batches of changes. Without a seed each call makes other ones.
func (s *Sim) controlEvolve(r *http.Request) (any, error) {
	query := r.URL.Query()
	seed, steps := uint64(s.opts.Now().UnixNano()), 1
	var err error
	if query.Has("seed") {
		if seed, err = strconv.ParseUint(query.Get("seed"), 10, 64); err != nil {
			return nil, errors.New("seed is to be a number")
		}
	}
	if query.Has("steps") {
		if steps, err = strconv.Atoi(query.Get("steps")); err != nil || steps < 1 || steps > 1000 {
			return nil, errors.New("steps is to be a number from 1 to 1000")
		}
	}
	var done []string
	for i := range steps {
		done = append(done, s.Evolve(seed+uint64(i))...)
	}
	return envelope{{"seed", seed}, {"changes", done}}, nil
}

// changeArguments are the arguments of every change; each takes what it names.
type changeArguments struct {
	ID         int64  `json:"id"`
	UID        string `json:"uid"`
	SiteUID    string `json:"site_uid"`
	Department *int64 `json:"department_id"`
	Requester  int64  `json:"requester_id"`
	Name       string `json:"name"`
	First      string `json:"first_name"`
	Last       string `json:"last_name"`
	Email      string `json:"email"`
	Status     int    `json:"status"`
	Value      any    `json:"value"`
	Field      int    `json:"field"`
	TimeSpent  string `json:"time_spent"`
	Billable   *bool  `json:"billable"`
	Touch      bool   `json:"touch"`

	// Of Ledger's desk.
	Account string             `json:"account_number"`
	Invoice string             `json:"invoice_number"`
	Amount  float64            `json:"amount"`
	Type    string             `json:"billing_type"`
	Cost    float64            `json:"custom_cost"`
	Plan    string             `json:"billing_plan"`
	Support string             `json:"support_level"`
	Rates   map[string]float64 `json:"rates"`
	Monthly float64            `json:"prepaid_hours_monthly"`
	Yearly  float64            `json:"prepaid_hours_yearly"`
}

// billing is how something is billed.
func (a changeArguments) billing() Billing { return Billing{a.Type, a.Cost} }

type namedChange struct {
	arguments string
	make      func(changeArguments) (any, error)
}

// changes are the changes that have a name over HTTP.
func (s *Sim) changes() map[string]namedChange {
	plain := func(do func(changeArguments) error) func(changeArguments) (any, error) {
		return func(a changeArguments) (any, error) { return envelope{{"done", true}}, do(a) }
	}
	return map[string]namedChange{
		"rename_department":    {"id, name", plain(func(a changeArguments) error { return s.RenameDepartment(a.ID, a.Name) })},
		"set_account_number":   {"id, value (number, text or null)", plain(func(a changeArguments) error { return s.SetAccountNumber(a.ID, wholeNumber(a.Value)) })},
		"remove_department":    {"id", plain(func(a changeArguments) error { return s.RemoveDepartment(a.ID) })},
		"rename_requester":     {"id, first_name, last_name", plain(func(a changeArguments) error { return s.RenameRequester(a.ID, a.First, a.Last) })},
		"deactivate_requester": {"id", plain(func(a changeArguments) error { return s.DeactivateRequester(a.ID) })},
		"forget_requester":     {"id (their tickets go too)", plain(func(a changeArguments) error { return s.ForgetRequester(a.ID) })},
		"remove_requester":     {"id", plain(func(a changeArguments) error { return s.RemoveRequester(a.ID) })},
		"convert_to_agent":     {"id", plain(func(a changeArguments) error { return s.ConvertToAgent(a.ID) })},
		"set_ticket_status":    {"id, status", plain(func(a changeArguments) error { return s.SetTicketStatus(a.ID, a.Status) })},
		"close_ticket":         {"id", plain(func(a changeArguments) error { return s.CloseTicket(a.ID) })},
		"reopen_ticket":        {"id", plain(func(a changeArguments) error { return s.ReopenTicket(a.ID) })},
		"delete_ticket":        {"id", plain(func(a changeArguments) error { return s.DeleteTicket(a.ID) })},
		"restore_ticket":       {"id", plain(func(a changeArguments) error { return s.RestoreTicket(a.ID) })},
		"spam_ticket":          {"id", plain(func(a changeArguments) error { return s.MarkSpam(a.ID, true) })},
		"move_ticket":          {"id, department_id (or null)", plain(func(a changeArguments) error { return s.MoveTicket(a.ID, a.Department) })},
		"rename_site":          {"uid, name", plain(func(a changeArguments) error { return s.RenameSite(a.UID, a.Name) })},
		"remove_site":          {"uid", plain(func(a changeArguments) error { return s.RemoveSite(a.UID) })},
		"set_account_variable": {"uid, value", plain(func(a changeArguments) error {
			return s.SetVariable(a.UID, "AccountNumber", fmt.Sprint(wholeNumber(a.Value)), false)
		})},
		"drop_account_variable": {"uid", plain(func(a changeArguments) error { return s.RemoveVariable(a.UID, "AccountNumber") })},
		"rename_device":         {"uid, name", plain(func(a changeArguments) error { return s.RenameDevice(a.UID, a.Name) })},
		"move_device":           {"uid, site_uid", plain(func(a changeArguments) error { return s.MoveDevice(a.UID, a.SiteUID) })},
		"delete_device":         {"uid (goes to Deleted Devices)", plain(func(a changeArguments) error { return s.DeleteDevice(a.UID) })},
		"remove_device":         {"uid", plain(func(a changeArguments) error { return s.RemoveDevice(a.UID) })},
		"set_udf":               {"uid, field, value", plain(func(a changeArguments) error { return s.SetUDF(a.UID, a.Field, a.Value) })},
		"reimage_device": {"uid", func(a changeArguments) (any, error) {
			uid, err := s.ReimageDevice(a.UID)
			return envelope{{"uid", uid}}, err
		}},
		"add_device": {"site_uid, name", func(a changeArguments) (any, error) {
			uid, err := s.AddDevice(a.SiteUID, a.Name, nil)
			return envelope{{"uid", uid}}, err
		}},
		"add_requester": {"first_name, last_name, email, department_id", func(a changeArguments) (any, error) {
			r := Requester{FirstName: a.First, LastName: new(a.Last), Active: true, Language: "en", TimeZone: "UTC"}
			if a.Email != "" {
				r.PrimaryEmail = new(a.Email)
			}
			if a.Department != nil {
				r.DepartmentIDs = []int64{*a.Department}
			}
			return envelope{{"id", s.AddRequester(r)}}, nil
		}},
		"twin_department": {"id, name (the same account number in the other type)", func(a changeArguments) (any, error) {
			id, err := s.TwinDepartment(a.ID, a.Name)
			return envelope{{"id", id}}, err
		}},
		"bill_asset_as": {"id (Codex's), billing_type (empty takes it back), custom_cost", plain(func(a changeArguments) error {
			s.SetAssetBilling(a.ID, a.billing())
			return nil
		})},
		"bill_user_as": {"id (Codex's), billing_type (empty takes it back), custom_cost", plain(func(a changeArguments) error {
			s.SetUserBilling(a.ID, a.billing())
			return nil
		})},
		"agree_with_client": {"account_number, billing_plan, support_level, rates, prepaid_hours_monthly, prepaid_hours_yearly", plain(func(a changeArguments) error {
			return s.SetClientBilling(a.Account, ClientBilling{a.Plan, a.Support, a.Rates, a.Monthly, a.Yearly})
		})},
		"add_manual_asset": {"account_number, name, billing_type, custom_cost", plain(func(a changeArguments) error {
			s.AddManualAsset(a.Account, ManualAsset{a.Name, a.billing()})
			return nil
		})},
		"add_manual_user": {"account_number, name, billing_type, custom_cost", plain(func(a changeArguments) error {
			s.AddManualUser(a.Account, ManualUser{a.Name, a.billing()})
			return nil
		})},
		"add_line_item": {"account_number, name, amount (of every month)", plain(func(a changeArguments) error {
			s.AddLineItem(a.Account, LineItem{Name: a.Name, MonthlyFee: new(a.Amount)})
			return nil
		})},
		"correct_ledger_bill": {"invoice_number, name, amount (Ledger C: a charge more on a bill that it keeps)", plain(func(a changeArguments) error {
			return s.CorrectLedgerBill(a.Invoice, a.Name, a.Amount)
		})},
		"forget_ledger_bill": {"invoice_number (Ledger C: it can be accepted anew)", plain(func(a changeArguments) error { return s.ForgetLedgerBill(a.Invoice) })},
		"rotate_core_key":    {"name (the new kid; empty keeps it)", plain(func(a changeArguments) error { s.RotateCoreKey(a.Name); return nil })},
		"end_core_sessions":  {"", plain(func(changeArguments) error { s.EndCoreSessions(); return nil })},
		"twin_requester": {"id (the same e-mail address in capitals)", func(a changeArguments) (any, error) {
			id, err := s.TwinRequester(a.ID)
			return envelope{{"id", id}}, err
		}},
		"set_next_id": {"name (department, requester, …), id", plain(func(a changeArguments) error { return s.SetNextID(Entity(a.Name), a.ID) })},
		"add_ticket": {"requester_id, department_id, name (the subject), status", func(a changeArguments) (any, error) {
			t := Ticket{RequesterID: a.Requester, DepartmentID: a.Department, Subject: new(a.Name), Status: a.Status,
				Description: "<div>" + a.Name + "</div>", DescriptionText: a.Name}
			return envelope{{"id", s.AddTicket(t)}}, nil
		}},
		"add_time_entry": {"id (the ticket), time_spent (hh:mm), billable, touch", func(a changeArguments) (any, error) {
			billable := a.Billable == nil || *a.Billable
			id, err := s.AddTimeEntry(a.ID, TimeEntry{TimeSpent: new(a.TimeSpent), Billable: billable}, a.Touch)
			return envelope{{"id", id}}, err
		}},
	}
}

// wholeNumber turns JSON's float into an integer where it is one.
func wholeNumber(value any) any {
	if f, ok := value.(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return value
}
