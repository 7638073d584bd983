package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// errNoCompany says that Codex does not serve a company.
var errNoCompany = errors.New("no company")

// ledgerAccepts makes a bill and keeps it, or sends it to Archive. Whoever asked may have gone
// meanwhile: Ledger does not notice. A fault of Ledger's own kinds changes what it does with the bill.
func (s *Sim) ledgerAccepts(ctx context.Context, l LedgerSettings, asked acceptRequest, caller ledgerCaller, f Fault) answer {
	ctx = context.WithoutCancel(ctx)
	no := func(text string) answer { return ledgerFailure(http.StatusInternalServerError, text) }
	b, err := s.ledgerBills(ctx, l, asked)
	var again *bill // everything is read a second time for the invoice
	if err == nil {
		again, err = s.ledgerBills(ctx, l, asked)
	}
	switch {
	case errors.Is(err, errLedgerBroke):
		return ledgerPage(http.StatusInternalServerError)
	case b != nil && err != nil && l.Generation == LedgerC:
		return no("Unable to generate invoice CSV")
	case errors.Is(err, errNoCompany) && l.Generation == LedgerC:
		return no("Unable to fetch company data from Codex")
	case err != nil:
		return no("Unable to calculate billing for this company")
	}
	csv, total := again.csv(), b.total
	if f.Kind == FaultOtherTotal {
		total += float64(f.By) / 100
	}
	if l.Generation == LedgerC {
		return s.ledgerKeeps(b, csv, total, asked, caller, f)
	}
	if f.Kind == FaultAcceptsOnly {
		return ledgerAccepted(b)
	}
	body := encodeBody(answer{body: b.submission(csv, caller.Email, asked.notes, total)})
	status, text, err := s.ledgerCalls(ctx, http.MethodPost, l.snapshots(), "archive", body)
	if f.Kind == FaultPostsTwice {
		_, _, _ = s.ledgerCalls(ctx, http.MethodPost, l.snapshots(), "archive", body) // the first answer counts
	}
	switch {
	case err != nil:
		return no("Failed to connect to Archive service")
	case status == http.StatusConflict:
		return ledgerFailure(status, "This bill has already been archived")
	case status != http.StatusCreated:
		return no("Archive service error: " + string(text))
	}
	return ledgerAccepted(b)
}

func ledgerAccepted(b *bill) answer {
	return answer{status: http.StatusCreated, body: envelope{
		{"success", true}, {"message", "Bill accepted and archived successfully"}, {"invoice_number", b.invoice()},
	}}
}

// ledgerKeeps is C's own archive: a bill is there once.
func (s *Sim) ledgerKeeps(b *bill, csv string, total float64, asked acceptRequest, caller ledgerCaller, f Fault) answer {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if _, there := s.ledger.bills[b.invoice()]; there {
		return ledgerFailure(http.StatusConflict, "This bill has already been archived")
	}
	if f.Kind != FaultAcceptsOnly {
		s.ledger.made++
		s.ledger.bills[b.invoice()] = kept{
			id: s.ledger.made, archivedAt: s.clock().UTC(), by: caller.Email, notes: asked.notes, total: total, bill: b, csv: csv,
		}
	}
	return ledgerAccepted(b)
}

// ledgerBills reads a company from Codex, and its plan, and bills it. An error is errNoCompany or
// errLedgerBroke, or says that no plan fits.
func (s *Sim) ledgerBills(ctx context.Context, l LedgerSettings, asked acceptRequest) (*bill, error) {
	sent, err := s.readServed(ctx, l, asked.account)
	if err != nil {
		return nil, err
	}
	s.ledger.mu.Lock()
	desk := s.ledger.desk
	s.ledger.mu.Unlock()

	name := strings.TrimSpace(sent.company.text("billing_plan"))
	if agreement := desk.clients[sent.company.text("account_number")]; agreement.Plan != "" {
		name = agreement.Plan
	}
	client := sent.company.set("billing_plan", jsonText(name))
	term := client.text("contract_term_length")
	if term == "" {
		term = monthToMonth
		client = client.set("contract_term_length", jsonText(term))
	}
	p, err := s.planOf(ctx, l, name, strings.TrimSpace(term))
	if err != nil {
		return nil, err
	}
	return makeBill(l.Generation, sent, client, p, desk, asked.year, asked.month)
}

// jsonText is a text in JSON, as an envelope's members that were read are.
func jsonText(text string) json.RawMessage { return encodeBody(answer{body: text}) }

// readServed reads what Codex serves of a company. A company that cannot be read has no bill, but a list
// that cannot be read is taken for an empty one, as Ledger's client of Codex does.
func (s *Sim) readServed(ctx context.Context, l LedgerSettings, account string) (served, error) {
	var sent served
	base := l.CodexURL + "/api/companies/" + url.PathEscape(account)
	status, text, err := s.ledgerCalls(ctx, http.MethodGet, base, "codex", nil)
	if err != nil || status != http.StatusOK {
		return sent, fmt.Errorf("%w: the company %s", errNoCompany, account)
	}
	if sent.company, err = readMembers(text); err != nil || sent.company.text("account_number") == "" {
		return sent, fmt.Errorf("%w: the company %s", errNoCompany, account)
	}
	var locations []json.RawMessage // read, and never looked at
	for _, list := range []struct {
		path string
		into *[]json.RawMessage
	}{{"/assets", &sent.assets}, {"/contacts", &sent.users}, {"/locations", &locations}, {"/tickets", &sent.tickets}} {
		status, text, err := s.ledgerCalls(ctx, http.MethodGet, base+list.path, "codex", nil)
		if err != nil || status != http.StatusOK || json.Unmarshal(text, list.into) != nil {
			*list.into = nil
		}
	}
	return sent, nil
}

// planOf is the plan of exactly a name and a length of contract: A's own, or Codex's.
func (s *Sim) planOf(ctx context.Context, l LedgerSettings, name, term string) (plan, error) {
	none := fmt.Errorf("there is no plan %q for %q", name, term)
	if name == "" {
		return plan{}, none
	}
	if l.Generation == LedgerA {
		if p, ok := ownPlan(name, term); ok {
			return p, nil
		}
		return plan{}, none
	}
	address := l.CodexURL + "/api/billing-plans?" + url.Values{"plan_name": {name}, "term_length": {term}}.Encode()
	if l.Generation == LedgerC {
		address = l.CodexURL + "/billing-plans/api/plans/" + url.PathEscape(name) + "/" + url.PathEscape(term)
	}
	status, text, err := s.ledgerCalls(ctx, http.MethodGet, address, "codex", nil)
	if err != nil || status != http.StatusOK {
		return plan{}, none
	}
	var raw json.RawMessage
	if l.Generation == LedgerC {
		answered, err := readMembers(text)
		if err != nil {
			return plan{}, none
		}
		raw = answered.raw("plan")
	} else {
		var list []json.RawMessage
		if json.Unmarshal(text, &list) != nil || len(list) == 0 {
			return plan{}, none
		}
		raw = list[0]
	}
	read, err := readMembers(raw)
	if err != nil {
		return plan{}, none
	}
	p := plan{name: name, term: term, support: read.text("support_level"), prices: map[string]float64{}}
	if !read.has("support_level") {
		p.support = "Billed Hourly"
	}
	for _, price := range priceNames() {
		p.prices[price] = read.number(price)
	}
	return p, nil
}

// ledgerAnswerLimit bounds what Ledger reads of an answer.
const ledgerAnswerLimit = 256 << 20

// ledgerCalls calls a neighbour with a service token that Core gave for it, as Ledger asks for one for
// each call.
func (s *Sim) ledgerCalls(ctx context.Context, method, address, target string, body []byte) (status int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.ServiceToken("ledger", target))
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.ledger.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(io.LimitReader(response.Body, ledgerAnswerLimit))
	return response.StatusCode, text, err
}
