package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hivematrix/codex"
)

// Kind says what happened. The words are stable: receivers decide by them.
type Kind string

// The kinds. A receiver ignores those that it does not know.
const (
	SyncFailed      Kind = "sync.failed"
	SyncPartial     Kind = "sync.partial"     // some of what it should read could not be read
	SyncHeld        Kind = "sync.held"        // removals wait for an admin
	SyncInterrupted Kind = "sync.interrupted" // its process died
	SyncRecovered   Kind = "sync.recovered"   // it succeeded after one of the above
	JobFailed       Kind = "job.failed"
	JobPartial      Kind = "job.partial" // it is over, and some companies failed
	JobHeld         Kind = "job.held"    // it is over, and left out companies whose review has flags
	JobBlocked      Kind = "job.blocked" // it waits for a feed, or for an admin who forces it
	LogStopped      Kind = "log.stopped" // nothing is archived, or not signed
	LogResumed      Kind = "log.resumed" // that is over
	LogUnverified   Kind = "log.unverified"
	LogVerified     Kind = "log.verified" // it verifies again
	Test            Kind = "test"         // somebody tries the webhook
)

// Kinds are all kinds of events.
func Kinds() []Kind {
	return []Kind{
		SyncFailed, SyncPartial, SyncHeld, SyncInterrupted, SyncRecovered, JobFailed, JobPartial, JobHeld, JobBlocked,
		LogStopped, LogResumed, LogUnverified, LogVerified, Test,
	}
}

// Event is something that happened and that a person should know.
type Event struct {
	Kind    Kind
	Subject string // what it is about, of all kinds: see [FeedSubject] and the others
	Text    string // what happened and what to do, for people
	// Facts are the same for programs: what encoding/json takes, keys in snake_case. No secrets.
	Facts map[string]any
}

// FeedSubject is what a sync's events are about.
func FeedSubject(feed codex.Feed) string { return "feed/" + string(feed) }

// JobSubject is what a snapshot job's events are about.
func JobSubject(id codex.RunID) string { return "job/" + string(id) }

// LogSubject is what events of a stopped log are about.
const LogSubject = "log"

// VerificationSubject is what events of the log's verification are about.
const VerificationSubject = "log/verification"

// maxTextRunes bounds the text of an event: an upstream's words have no end.
const maxTextRunes = 4000

// message is what is sent: the keys and their order are documented.
type message struct {
	ID        string         `json:"id"`
	Kind      Kind           `json:"kind"`
	Subject   string         `json:"subject"`
	Text      string         `json:"text"`
	CreatedAt time.Time      `json:"created_at"`
	Facts     map[string]any `json:"facts"`
}

// body is the event as it is sent each time.
func (e Event) body(id string, at time.Time) (string, error) {
	if !slices.Contains(Kinds(), e.Kind) {
		return "", fmt.Errorf("there is no event of kind %q", e.Kind)
	}
	text := []rune(e.Text)
	if len(text) > maxTextRunes {
		text = append(text[:maxTextRunes-1], '…')
	}
	facts := e.Facts
	if facts == nil {
		facts = map[string]any{}
	}
	body, err := json.Marshal(message{ID: id, Kind: e.Kind, Subject: e.Subject, Text: string(text), CreatedAt: at.UTC(), Facts: facts})
	if err != nil {
		return "", fmt.Errorf("writing an event %s: %w", e.Kind, err)
	}
	return string(body), nil
}
