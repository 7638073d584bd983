package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// Options are what a [Client] is made of.
type Options struct {
	BaseURL    string        // Ledger's address: http://localhost:5030
	CallLimit  time.Duration // one call, from connecting to the last byte; 0 is [DefaultCallLimit]
	HTTPClient *http.Client  // as [transport.Options] has it
	Now        func() time.Time
	Logger     *slog.Logger
	Tuning     transport.Tuning // zero = the defaults, but for CallLimit and what stands below
}

// DefaultCallLimit is how long Ledger has for one call: it reads a company twice to make its bill.
const DefaultCallLimit = 60 * time.Second

const (
	// maxBody is more than a bill may have here, so that one that is too large is told by the archive.
	maxBody = 17 << 20
	// readTries is for what only reads; accepting a bill is asked once.
	readTries = 3
)

// Client asks one Ledger. It is safe for concurrent use.
type Client struct {
	api *transport.Client
}

// New makes a client, or says what is wrong with options.
func New(options Options) (*Client, error) {
	tuning := options.Tuning
	if tuning.Attempt = options.CallLimit; tuning.Attempt == 0 {
		tuning.Attempt = DefaultCallLimit
	}
	if tuning.MaxBody == 0 {
		tuning.MaxBody = maxBody
	}
	if tuning.Tries == 0 {
		tuning.Tries = readTries
	}
	api, err := transport.New(transport.Options{
		Upstream: "ledger", BaseURL: options.BaseURL, HTTPClient: options.HTTPClient,
		Now: options.Now, Logger: options.Logger, Tuning: tuning,
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return &Client{api: api}, nil
}

// Close closes the connections that calls have left open.
func (c *Client) Close() { c.api.Close() }

// Accepted says that Ledger has a bill.
type Accepted struct {
	Made bool // by this call (201); else it was there already (409)
	// Invoice is the bill's number. Ledger tells it where it made the bill; where that was there, it is
	// [InvoiceNumber].
	Invoice string
}

// InvoiceNumber is how every Ledger numbers a company's bill of a month (docs/compatibility.md,
// "Ledger"): 620547-202510.
func InvoiceNumber(account codex.AccountNumber, period codex.Period) string {
	return fmt.Sprintf("%s-%04d%02d", account, period.Year, int(period.Month))
}

// Accept asks Ledger to make and accept a company's bill of a month, in the name of token. It is asked
// once. The error is an [*Error], or ctx's; a transient one leaves open whether Ledger has done it, and
// asking again tells.
func (c *Client) Accept(ctx context.Context, token codex.Secret, account codex.AccountNumber, period codex.Period, notes string) (Accepted, error) {
	about := subject{account: account}
	question, err := json.Marshal(struct {
		AccountNumber codex.AccountNumber `json:"account_number"`
		Year          int                 `json:"year"`
		Month         int                 `json:"month"`
		Notes         string              `json:"notes,omitempty"`
	}{account, period.Year, int(period.Month), notes})
	if err != nil {
		return Accepted{}, fmt.Errorf("writing a question to Ledger: %w", err)
	}
	var answer struct {
		Success bool   `json:"success"`
		Invoice string `json:"invoice_number"`
	}
	got, err := c.api.Do(ctx, transport.Request{
		Path: "/api/bill/accept", JSON: question, Tries: 1, Authorization: bearer(token),
		Check: func(body []byte) error {
			if err := json.Unmarshal(body, &answer); err != nil {
				return errors.New("no answer about a bill") // the cause may quote it
			}
			if !answer.Success || answer.Invoice == "" {
				return errors.New(`no "success" with an "invoice_number"`)
			}
			return nil
		},
	})
	switch {
	case transport.StatusOf(err) == http.StatusConflict:
		return Accepted{Invoice: InvoiceNumber(account, period)}, nil
	case err != nil:
		return Accepted{}, failure(ctx, about, err)
	case got.Status != http.StatusCreated:
		return Accepted{}, about.errorf(got.Status, "Ledger answers %d where a bill that it made is 201", got.Status)
	}
	return Accepted{Made: true, Invoice: answer.Invoice}, nil
}

// Snapshot is a bill of a Ledger that keeps its bills: the snapshot object of docs/compatibility.md,
// "Archive", as it came. One of another number is an error. The error is an [*Error], 404 where Ledger
// has no such bill or keeps none, or ctx's.
func (c *Client) Snapshot(ctx context.Context, token codex.Secret, invoice string) ([]byte, error) {
	return c.read(ctx, invoice, transport.Request{
		Path:          "/archive/api/snapshot/" + url.PathEscape(invoice),
		Endpoint:      "/archive/api/snapshot/{invoice}",
		Authorization: bearer(token),
		Check: func(body []byte) error {
			var object struct {
				Invoice string `json:"invoice_number"`
			}
			if json.Unmarshal(body, &object) != nil || object.Invoice != invoice {
				return errors.New("it is not the bill of that number")
			}
			return nil
		},
	})
}

// CSV is the invoice of such a bill, to its last byte as Ledger gave it. The error is as Snapshot's.
func (c *Client) CSV(ctx context.Context, token codex.Secret, invoice string) ([]byte, error) {
	return c.read(ctx, invoice, transport.Request{
		Path:          "/archive/api/snapshot/" + url.PathEscape(invoice) + "/csv",
		Endpoint:      "/archive/api/snapshot/{invoice}/csv",
		Media:         "text/csv",
		Authorization: bearer(token),
		Check: func(body []byte) error {
			if body[0] == '{' && json.Valid(body) {
				return errors.New("it is JSON where a CSV was asked for")
			}
			return nil
		},
	})
}

func (c *Client) read(ctx context.Context, invoice string, request transport.Request) ([]byte, error) {
	answer, err := c.api.Do(ctx, request)
	if err != nil {
		return nil, failure(ctx, subject{invoice: invoice}, err)
	}
	return answer.Body, nil
}

// Answers asks whether somebody is there, without a token: any answer says so, but for that of a gateway
// which finds nobody behind it (502, 503, 504).
func (c *Client) Answers(ctx context.Context) error {
	_, err := c.api.Do(ctx, transport.Request{Path: "/health", Tries: 1})
	var answer *transport.AnswerError
	if status := transport.StatusOf(err); errors.As(err, &answer) || status != 0 && (status < http.StatusBadGateway || status > http.StatusGatewayTimeout) {
		return nil
	}
	return err
}

func bearer(token codex.Secret) codex.Secret { return "Bearer " + token }
