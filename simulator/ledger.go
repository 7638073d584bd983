package simulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// LedgerGeneration is one of the Ledgers that were in use, which need different things of Codex
// (docs/compatibility.md).
type LedgerGeneration string

// The generations of Ledger.
const (
	LedgerA LedgerGeneration = "A" // plans of its own, whose terms are written "1-Year"; bills go to Archive
	LedgerB LedgerGeneration = "B" // plans from Codex, /api/billing-plans; bills go to Archive
	LedgerC LedgerGeneration = "C" // plans from Codex, /billing-plans/api/plans/{name}/{term}; keeps its bills
)

// ParseLedgerGeneration reads a generation's letter in either case; "" is C.
func ParseLedgerGeneration(text string) (LedgerGeneration, error) {
	generation := LedgerGeneration(strings.ToUpper(text))
	switch generation {
	case "":
		return LedgerC, nil
	case LedgerA, LedgerB, LedgerC:
		return generation, nil
	}
	return "", fmt.Errorf("there is no Ledger %q; there are A, B and C", text)
}

// LedgerSettings are how Ledger is set up.
type LedgerSettings struct {
	Generation LedgerGeneration `json:"generation"` // "" is C
	// CodexURL and ArchiveURL are the neighbours that Ledger knows from its services.json. Without the
	// second, Archive is where Codex is.
	CodexURL   string `json:"codex_url"`
	ArchiveURL string `json:"archive_url"`
}

// check refuses what makes no sense, and fills what is not given.
func (l LedgerSettings) check() (LedgerSettings, error) {
	var err error
	if l.Generation, err = ParseLedgerGeneration(string(l.Generation)); err != nil {
		return l, err
	}
	for _, at := range []*string{&l.CodexURL, &l.ArchiveURL} {
		*at = strings.TrimRight(*at, "/")
		if base, err := url.Parse(*at); *at != "" && (err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https") {
			return l, fmt.Errorf("the neighbour %q is no http or https address", *at)
		}
	}
	return l, nil
}

// snapshots is where bills are sent.
func (l LedgerSettings) snapshots() string { return cmp.Or(l.ArchiveURL, l.CodexURL) + "/api/snapshot" }

// ledgerState is Ledger's database, and how it is set up.
type ledgerState struct {
	mu       sync.Mutex
	settings LedgerSettings
	desk     agreed
	bills    map[string]kept // C's, by invoice number; replaced, never written to
	made     int             // the last id

	client *http.Client
}

// ledgerPatience is how long C waits for an answer; A and B, which would wait for ever, do the same
// (choice).
const ledgerPatience = 30 * time.Second

func newLedgerState(settings LedgerSettings) *ledgerState {
	transport := &http.Transport{Proxy: nil, IdleConnTimeout: ledgerPatience}
	return &ledgerState{
		settings: settings, bills: map[string]kept{},
		client: &http.Client{Timeout: ledgerPatience, Transport: transport},
	}
}

// Ledger is how Ledger is set up now.
func (s *Sim) Ledger() LedgerSettings {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.settings
}

// SetLedger sets Ledger up anew, from the next bill on: where Codex is becomes known when it listens.
// What was entered at its desk and what it keeps stays.
func (s *Sim) SetLedger(settings LedgerSettings) error {
	settings, err := settings.check()
	if err != nil {
		return fmt.Errorf("set Ledger up: %w", err)
	}
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.settings = settings
	return nil
}

// LedgerHandler serves Ledger as far as Codex asks it: POST /api/bill/accept, of a generation that keeps
// its bills /archive/api/snapshot/{invoice} and /csv, and /health. Whoever is asked for a bill reads the
// company from Codex, and A and B send it to Archive, both with service tokens of this simulator's Core.
func (s *Sim) LedgerHandler() http.Handler { return s.handle(Ledger, s.admitLedger) }

// ledgerCaller is who calls, by a token of Core's.
type ledgerCaller struct {
	Type  string `json:"type"`
	Email any    `json:"email"`
	Level string `json:"permission_level"`
}

// admitLedger finds the endpoint and who is calling.
func (s *Sim) admitLedger(r *http.Request) admission {
	refuse := func(a answer) admission { return admission{refusal: &a} }
	settings := s.Ledger()
	invoice, archived := strings.CutPrefix(r.URL.Path, "/archive/api/snapshot/")
	method := http.MethodGet
	switch {
	case r.URL.Path == "/health":
		return admission{reply: &answer{status: http.StatusOK, body: envelope{{"status", "ok"}, {"service", "ledger"}}}}
	case r.URL.Path == "/api/bill/accept":
		method = http.MethodPost
	case !archived || settings.Generation != LedgerC:
		return refuse(ledgerPage(http.StatusNotFound))
	}
	if r.Method != method {
		return refuse(ledgerPage(http.StatusMethodNotAllowed))
	}
	caller, known := s.ledgerKnows(r)
	if !known {
		return refuse(ledgerPage(http.StatusUnauthorized))
	}
	if archived {
		return admission{act: func(Fault) answer { return s.ledgerArchived(invoice) }}
	}
	switch {
	case caller.Type == "service":
		return refuse(answer{status: http.StatusForbidden, body: envelope{{"error", "This endpoint is for users only"}}})
	case caller.Level != "admin" && caller.Level != "billing":
		return refuse(ledgerPage(http.StatusForbidden))
	}
	asked, refusal := readAcceptRequest(r)
	if refusal != nil {
		return refuse(*refusal)
	}
	return admission{act: func(f Fault) answer { return s.ledgerAccepts(r.Context(), settings, asked, caller, f) }}
}

// ledgerKnows reads a bearer token as every service does: signature, issuer and end. Nobody asks Core
// whether a session goes on.
func (s *Sim) ledgerKnows(r *http.Request) (caller ledgerCaller, ok bool) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(token, ".")
	if !bearer || len(parts) != 3 || !s.coreSigned(parts) {
		return caller, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return caller, false
	}
	var said struct {
		ledgerCaller
		Issuer  string  `json:"iss"`
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &said) != nil || said.Issuer != CoreIssuer || int64(said.Expires) <= s.clock().Unix() {
		return caller, false
	}
	return said.ledgerCaller, true
}

// acceptRequest is what POST /api/bill/accept asks for.
type acceptRequest struct {
	account     string
	year, month int
	notes       any
}

// readAcceptRequest reads the body; what is there but makes no date is an exception in Python.
func readAcceptRequest(r *http.Request) (asked acceptRequest, refusal *answer) {
	required := &answer{status: http.StatusBadRequest, body: envelope{{"error", "account_number, year, and month are required"}}}
	body, err := io.ReadAll(io.LimitReader(r.Body, controlBodyLimit))
	if err != nil {
		return asked, required
	}
	sent, err := readMembers(body)
	if err != nil || !sent.has("account_number") || !sent.has("year") || !sent.has("month") {
		return asked, required
	}
	asked.account = sent.text("account_number")
	if asked.account == "" { // a number
		asked.account = string(sent.raw("account_number"))
	}
	if sent.has("notes") {
		asked.notes = sent.raw("notes")
	}
	broke := ledgerPage(http.StatusInternalServerError)
	if json.Unmarshal(sent.raw("year"), &asked.year) != nil || json.Unmarshal(sent.raw("month"), &asked.month) != nil ||
		asked.year < 1 || asked.year > 9999 || asked.month < 1 || asked.month > 12 {
		return asked, &broke
	}
	return asked, nil
}

// ledgerPage is what Flask answers by itself: a page.
func ledgerPage(status int) answer {
	text := http.StatusText(status)
	page := fmt.Sprintf("<!doctype html>\n<html lang=en>\n<title>%[1]d %[2]s</title>\n<h1>%[2]s</h1>\n", status, text)
	return answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(page)}
}

// ledgerRefusal is Ledger's own error of a status.
func ledgerRefusal(status int) answer {
	if status == http.StatusInternalServerError {
		return ledgerFailure(status, "Internal server error")
	}
	return ledgerPage(status)
}

func ledgerFailure(status int, text string) answer {
	return answer{status: status, body: envelope{{"success", false}, {"error", text}}}
}

// ledgerArchived serves a bill that C keeps: {invoice}, or {invoice}/csv.
func (s *Sim) ledgerArchived(path string) answer {
	invoice, csv := strings.CutSuffix(path, "/csv")
	s.ledger.mu.Lock()
	k, found := s.ledger.bills[invoice]
	s.ledger.mu.Unlock()
	if !found {
		return answer{status: http.StatusNotFound, body: envelope{{"error", "Snapshot not found"}}}
	}
	if csv {
		return answer{status: http.StatusOK, body: []byte(k.csv), header: http.Header{
			"Content-Type":        {"text/csv; charset=utf-8"},
			"Content-Disposition": {fmt.Sprintf("attachment; filename=%q", k.fileName())},
		}}
	}
	object, err := k.object()
	if err != nil {
		return ledgerPage(http.StatusInternalServerError)
	}
	return answer{status: http.StatusOK, body: append(object, '\n')}
}

// LedgerBill is a bill that Ledger C keeps, as it serves it.
type LedgerBill struct {
	Invoice string
	Object  []byte // JSON
	CSV     []byte
}

// LedgerBills are the bills that Ledger C keeps, by invoice number.
func (s *Sim) LedgerBills() ([]LedgerBill, error) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	var bills []LedgerBill
	for invoice, k := range s.ledger.bills {
		object, err := k.object()
		if err != nil {
			return nil, fmt.Errorf("write the bill %s: %w", invoice, err)
		}
		bills = append(bills, LedgerBill{invoice, object, []byte(k.csv)})
	}
	slices.SortFunc(bills, func(a, b LedgerBill) int { return strings.Compare(a.Invoice, b.Invoice) })
	return bills, nil
}

// CorrectLedgerBill corrects a bill that Ledger C keeps, as somebody does in its database: a charge of its
// own more (less, where it is negative), in the sums, the receipt and the invoice.
func (s *Sim) CorrectLedgerBill(invoice, name string, amount float64) error {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	k, found := s.ledger.bills[invoice]
	if !found {
		return fmt.Errorf("the bill %s: %w", invoice, ErrNoRecord)
	}
	corrected := *k.bill
	corrected.items = append(slices.Clone(corrected.items), billed{name, "One-Off", amount})
	corrected.itemCharges += amount
	corrected.total += amount
	k.total += amount
	k.bill = &corrected
	invoiced, due := corrected.dates()
	var row strings.Builder
	writeRow(&row, invoice, corrected.name, invoiced, due, "Custom Charge", name+" (One-Off)", "1", two(amount), two(amount))
	k.csv += row.String()
	s.ledger.bills[invoice] = k
	return nil
}

// ForgetLedgerBill takes a bill out of Ledger C's archive, so that it can be accepted anew.
func (s *Sim) ForgetLedgerBill(invoice string) error {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if _, found := s.ledger.bills[invoice]; !found {
		return fmt.Errorf("the bill %s: %w", invoice, ErrNoRecord)
	}
	delete(s.ledger.bills, invoice)
	return nil
}
