package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Webhook is the target of a Freshservice workflow automator: each change of a ticket, a requester or
// a department is announced there by a POST with the secret in the header X-Webhook-Secret. What is
// done below a ticket (time, replies) announces the ticket (choice).
//
// What an automator sends is written by whoever sets it up. The simulated one sends what its
// placeholders make, all of it text:
//
//	{"event":"ticket_updated","ticket_id":"INC-4711","ticket_id_numeric":"4711"}
//	{"event":"requester_created","requester_id":"21001099209"}
//	{"event":"department_deleted","department_id":"21000418006"}
//
// Simple sends an automator's simple content instead, which names the record alone, in an envelope:
//
//	{"freshdesk_webhook":{"ticket_id":"INC-4711"}}
type Webhook struct {
	URL    string `json:"url"` // http or https; empty: nothing is announced
	Secret string `json:"secret"`
	Simple bool   `json:"simple"`
}

// WebhookDelivery is one announcement that was tried. It is tried once, whatever the answer (choice:
// the scheduled runs are there for what got lost).
type WebhookDelivery struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	Body   string    `json:"body"`
	Status int       `json:"status"`          // of the answer; 0: none
	Error  string    `json:"error,omitempty"` // why there was none
}

// webhookTimeout is how long a target may take to answer.
const webhookTimeout = 10 * time.Second

// What happens to a record.
const (
	actionCreated = "created"
	actionUpdated = "updated"
	actionDeleted = "deleted"
)

// webhookEvent is what happened: the event's name, and the record's ids under their placeholders.
type webhookEvent struct {
	name string
	ids  envelope
}

// ticketEvent names a ticket as the portal does, and by its bare number.
func ticketEvent(t *Ticket, action string) webhookEvent {
	prefix := "INC-"
	if t.Type == "Service Request" {
		prefix = "SR-"
	}
	return webhookEvent{"ticket_" + action, envelope{{"ticket_id", prefix + key(t.ID)}, {"ticket_id_numeric", key(t.ID)}}}
}

func requesterEvent(id int64, action string) webhookEvent {
	return webhookEvent{"requester_" + action, envelope{{"requester_id", key(id)}}}
}

func departmentEvent(id int64, action string) webhookEvent {
	return webhookEvent{"department_" + action, envelope{{"department_id", key(id)}}}
}

// body is what the target gets.
func (e webhookEvent) body(simple bool) ([]byte, error) {
	if simple {
		return encodeJSON(envelope{{"freshdesk_webhook", e.ids[:1]}})
	}
	return encodeJSON(append(envelope{{"event", e.name}}, e.ids...))
}

// SetWebhook changes where changes are announced from now on; a Webhook without URL ends it. What
// waits still goes where it was to go.
func (s *Sim) SetWebhook(target Webhook) error {
	if target.URL != "" {
		parsed, err := url.Parse(target.URL)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			return fmt.Errorf("the webhook's URL %q is no http address", target.URL)
		}
	}
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	s.webhooks.target = target
	return nil
}

// Announce sends the webhook of a ticket, requester or department that did not change.
func (s *Sim) Announce(entity Entity, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.world
	switch {
	case entity == EntityTicket && w.tickets[id] != nil:
		s.announce(ticketEvent(w.tickets[id], actionUpdated))
	case entity == EntityRequester && w.requesters[id] != nil:
		s.announce(requesterEvent(id, actionUpdated))
	case entity == EntityDepartment && w.departments[id] != nil:
		s.announce(departmentEvent(id, actionUpdated))
	default:
		return missing(entity, id)
	}
	return nil
}

// FlushWebhooks waits until everything that changed so far was announced.
func (s *Sim) FlushWebhooks(ctx context.Context) error {
	s.webhooks.mu.Lock()
	idle := s.webhooks.idle
	s.webhooks.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the webhooks: %w", ctx.Err())
	}
}

// Webhooks are the announcements that were tried so far, in their order.
func (s *Sim) Webhooks() []WebhookDelivery {
	s.webhooks.mu.Lock()
	defer s.webhooks.mu.Unlock()
	return slices.Clone(s.webhooks.deliveries)
}

func (s *Sim) announce(e webhookEvent) { s.webhooks.add(e) }

// webhookSender sends announcements one after another, in the order of the changes. Its goroutine
// lives only while something waits.
type webhookSender struct {
	now    func() time.Time
	client *http.Client

	mu         sync.Mutex
	target     Webhook
	waiting    []webhookTask
	idle       chan struct{} // closed when nothing waits any more; nil: nothing ever did, or it is closed
	deliveries []WebhookDelivery
}

type webhookTask struct {
	webhookEvent
	to Webhook
}

func newWebhookSender(now func() time.Time) *webhookSender {
	return &webhookSender{now: now, client: &http.Client{
		Timeout:       webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (w *webhookSender) add(e webhookEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.target.URL == "" {
		return
	}
	w.waiting = append(w.waiting, webhookTask{e, w.target})
	if w.idle == nil {
		w.idle = make(chan struct{})
		go w.run()
	}
}

// drop forgets what waits.
func (w *webhookSender) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.target, w.waiting = Webhook{}, nil
}

func (w *webhookSender) run() {
	for {
		w.mu.Lock()
		if len(w.waiting) == 0 {
			close(w.idle)
			w.idle = nil
			w.mu.Unlock()
			return
		}
		task := w.waiting[0]
		w.waiting = w.waiting[1:]
		w.mu.Unlock()

		delivery := w.send(task)

		w.mu.Lock()
		if len(w.deliveries) >= requestLimit {
			w.deliveries = slices.Clone(w.deliveries[len(w.deliveries)/2:])
		}
		w.deliveries = append(w.deliveries, delivery)
		w.mu.Unlock()
	}
}

func (w *webhookSender) send(task webhookTask) WebhookDelivery {
	delivery := WebhookDelivery{At: w.now(), Event: task.name}
	body, err := task.body(task.to.Simple)
	if err != nil {
		delivery.Error = err.Error()
		return delivery
	}
	delivery.Body = string(body)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, task.to.URL, bytes.NewReader(body))
	if err != nil {
		delivery.Error = err.Error()
		return delivery
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Webhook-Secret", task.to.Secret)
	response, err := w.client.Do(request)
	if err != nil {
		delivery.Error = err.Error()
		return delivery
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can serve the next one
	delivery.Status = response.StatusCode
	return delivery
}
