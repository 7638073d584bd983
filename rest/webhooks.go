package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// Announcer hears of records that have changed: *syncers.Engine is one.
type Announcer interface {
	// Announce returns when what it was told survives a crash.
	Announce(ctx context.Context, records []syncers.UpstreamRecord) error
}

// WebhookOptions are what webhooks are taken with.
type WebhookOptions struct {
	// Secret is [freshservice] webhook_secret; empty is off: then the paths are not there.
	Secret codex.Secret
	// Announce is told which records changed; nil is off.
	Announce Announcer
	Logger   *slog.Logger
}

// secretHeader carries the secret of a webhook. No token of ours does here, and the secret opens
// nothing else.
const secretHeader = "X-Webhook-Secret"

// maxWebhookBytes bounds a webhook's body: an automator's is some hundred bytes.
const maxWebhookBytes = 16 << 10

// announcing bounds how long noting an announcement may take, whatever its sender's patience.
const announcing = 30 * time.Second

// NewWebhookHandler takes the webhooks of Freshservice's workflow automators, at
// /webhooks/freshservice and /webhooks/freshservice/ticket (docs/sync.md, "Webhooks"). It asks for no
// caller: the secret is all that lets in. What a body says is a hint of which records to read anew and
// never data, so that who knows the secret can cost us calls and change nothing.
func NewWebhookHandler(o WebhookOptions) http.Handler {
	s := &service{Options: Options{Logger: o.Logger}}
	off := o.Secret == "" || o.Announce == nil
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch path := r.URL.Path; {
		case off || path != "/webhooks/freshservice" && path != "/webhooks/freshservice/ticket":
			err = errNoPath()
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			WriteError(w, http.StatusMethodNotAllowed, "Method not allowed")
		case !o.knows(r.Header.Values(secretHeader)):
			w.Header().Set("WWW-Authenticate", secretHeader) // RFC 9110 asks for a name of what is missing
			WriteError(w, http.StatusUnauthorized, "this needs the header "+secretHeader+" with the secret of [freshservice] webhook_secret")
		default:
			err = o.take(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// knows compares what was sent with the secret, in a time that tells nothing of either.
func (o WebhookOptions) knows(sent []string) bool {
	if len(sent) != 1 {
		return false
	}
	got, want := sha256.Sum256([]byte(sent[0])), sha256.Sum256([]byte(o.Secret.Reveal()))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// acceptedJSON is the answer to a webhook, given when its records are noted for good.
type acceptedJSON struct {
	Accepted bool     `json:"accepted"`
	Records  []string `json:"records"` // ticket 4711
}

func (o WebhookOptions) take(w http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		WriteError(w, http.StatusUnsupportedMediaType, "this takes JSON: send it with the header Content-Type: application/json")
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhookBytes))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		WriteError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a webhook's body has at most %d bytes", tooLarge.Limit))
		return nil
	}
	if err != nil {
		return codex.Wrap(codex.CodeBadInput, err, "the body could not be read")
	}
	records, err := parseWebhook(body)
	if err != nil {
		return err
	}
	// A sender that hangs up while the database is busy has announced it all the same.
	noting, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), announcing)
	defer cancel()
	if err := o.Announce.Announce(noting, records); err != nil {
		return err
	}
	names := make([]string, len(records))
	for i, record := range records {
		names[i] = record.String()
	}
	answer, err := encode(acceptedJSON{Accepted: true, Records: names})
	if err != nil {
		return err
	}
	write(w, http.StatusAccepted, answer)
	return nil
}

// webhookKey is a key under which a webhook names a record.
type webhookKey struct {
	name string
	kind syncers.RecordKind
}

// webhookKeys are the keys that are looked for, the order of the answer.
func webhookKeys() []webhookKey {
	return []webhookKey{
		{"ticket_id_numeric", syncers.RecordTicket}, {"ticket_id", syncers.RecordTicket},
		{"requester_id", syncers.RecordRequester}, {"department_id", syncers.RecordDepartment},
	}
}

// webhookEnvelope is around an automator's simple content.
const webhookEnvelope = "freshdesk_webhook"

// parseWebhook finds the records that a body names, each once: an object with the placeholders of a
// workflow automator, or with them in an envelope. What else it holds is passed over, and so is an id
// that is none, as long as another one is there.
func parseWebhook(body []byte) ([]syncers.UpstreamRecord, error) {
	object, err := webhookObject(body)
	if err != nil {
		return nil, err
	}
	objects := []map[string]json.RawMessage{object}
	if inner, err := webhookObject(object[webhookEnvelope]); err == nil {
		objects = append(objects, inner)
	}
	var records []syncers.UpstreamRecord
	for _, key := range webhookKeys() {
		for _, object := range objects {
			id, ok := webhookID(object[key.name])
			record := syncers.UpstreamRecord{Kind: key.kind, ID: id}
			if ok && !slices.Contains(records, record) {
				records = append(records, record)
			}
		}
	}
	if len(records) == 0 {
		var names []string
		for _, key := range webhookKeys() {
			names = append(names, key.name)
		}
		return nil, codex.Errorf(codex.CodeBadInput,
			"the body names no record: one of the keys %s must have an id such as 4711 or \"INC-4711\", at the top or in %s",
			strings.Join(names, ", "), webhookEnvelope)
	}
	return records, nil
}

func webhookObject(text []byte) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return nil, codex.Wrap(codex.CodeBadInput, err, `the body must be a JSON object such as {"ticket_id": "INC-4711"}`)
	}
	return object, nil
}

// webhookID reads an id, a number or a text: of a text with dashes what stands behind the last one,
// since placeholders give the id that people see (INC-4711, SR-12). A dash with no letter or digit in
// front of it is a sign. Ids are positive and exact, however large.
func webhookID(raw json.RawMessage) (int64, bool) {
	digits := string(bytes.TrimSpace(raw))
	if strings.HasPrefix(digits, `"`) {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, false
		}
		digits = strings.TrimSpace(text)
		if dash := strings.LastIndex(text, "-"); dash >= 0 {
			before, _ := utf8.DecodeLastRuneInString(strings.TrimSpace(text[:dash]))
			if !unicode.IsLetter(before) && !unicode.IsDigit(before) {
				return 0, false
			}
			digits = strings.TrimSpace(text[dash+1:])
		}
	}
	if strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil && id > 0
}
