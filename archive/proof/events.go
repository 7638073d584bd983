package proof

import "time"

// Reopening is the leaf `codex-reopen/v1`: a bill was wrong, and the next one with its number will
// be its next revision. The bill itself stays as it is.
type Reopening struct {
	InvoiceNumber string
	Revision      int64  // the newest one, which is reopened
	Reason        string // never empty
	By            string // who did it, never empty
	LoggedAt      time.Time
}

// Kind is [KindReopening].
func (Reopening) Kind() Kind { return KindReopening }

func (l Reopening) members() (members, error) {
	var c checks
	c.filled("reason", l.Reason)
	return correction(c, l.InvoiceNumber, l.Revision, l.Reason, l.By, l.LoggedAt)
}

// Closing is the leaf `codex-close/v1`: a reopening was withdrawn, the bill stands as it was.
type Closing struct {
	InvoiceNumber string
	Revision      int64 // the one that had been reopened
	Reason        string
	By            string // who did it, never empty
	LoggedAt      time.Time
}

// Kind is [KindClosing].
func (Closing) Kind() Kind { return KindClosing }

func (l Closing) members() (members, error) {
	return correction(checks{}, l.InvoiceNumber, l.Revision, l.Reason, l.By, l.LoggedAt)
}

func correction(c checks, invoice string, revision int64, reason, by string, at time.Time) (members, error) {
	c.filled("invoice_number", invoice)
	c.atLeast(1, "revision", revision)
	c.text("reason", reason)
	c.filled("by", by)
	c.instant("logged_at", at)
	return c.result(members{
		"by":             quote(by),
		"invoice_number": quote(invoice),
		"logged_at":      instant(at),
		"reason":         quote(reason),
		"revision":       integer(revision),
	})
}

// Redaction is the leaf `codex-redaction/v1`: contents of a bill were erased because a law said so,
// their salts with them. Their commitments stay in the bill's own leaf, where they now open for
// nobody; this leaf is what tells that from an alteration.
type Redaction struct {
	LeafIndex     int64 // where the bill's own leaf is
	InvoiceNumber string
	Revision      int64
	Redacted      []Committed // in order, each once, at least one
	Reason        string      // never empty
	By            string      // who did it, never empty
	LoggedAt      time.Time
}

// Kind is [KindRedaction].
func (Redaction) Kind() Kind { return KindRedaction }

func (l Redaction) members() (members, error) {
	var c checks
	c.atLeast(0, "leaf_index", l.LeafIndex)
	c.filled("invoice_number", l.InvoiceNumber)
	c.atLeast(1, "revision", l.Revision)
	c.that(len(l.Redacted) > 0, "redacted", "nothing was")
	for i, name := range l.Redacted {
		c.that(isCommitted(name), "redacted", "there is no such content")
		c.that(i == 0 || l.Redacted[i-1] < name, "redacted", "they are not in order, each once")
	}
	c.filled("reason", l.Reason)
	c.filled("by", l.By)
	c.instant("logged_at", l.LoggedAt)
	return c.result(members{
		"by":             quote(l.By),
		"invoice_number": quote(l.InvoiceNumber),
		"leaf_index":     integer(l.LeafIndex),
		"logged_at":      instant(l.LoggedAt),
		"reason":         quote(l.Reason),
		"redacted":       array(l.Redacted),
		"revision":       integer(l.Revision),
	})
}

// NewEpoch is the leaf `codex-epoch/v1`, the first one of an epoch: the database came back from a
// backup that is older than a log checkpoint which had been published. What stood between the two is
// lost, and this says so in the log itself.
type NewEpoch struct {
	// Epoch is the number of the epoch that begins: one more than that of LostCheckpoint, hence at
	// least 2. It is part of the origin line of every log checkpoint from here on ([Checkpoint]).
	Epoch int
	// LostCheckpoint is the whole signed note that the log is behind: anybody who holds the log's
	// key sees that it was a real one.
	LostCheckpoint string
	Reason         string // never empty
	By             string // who did it, never empty
	LoggedAt       time.Time
}

// Kind is [KindNewEpoch].
func (NewEpoch) Kind() Kind { return KindNewEpoch }

func (l NewEpoch) members() (members, error) {
	var c checks
	lost, _, err := splitCheckpoint([]byte(l.LostCheckpoint))
	c.that(err == nil, "lost_checkpoint", "it is no signed log checkpoint")
	c.atLeast(2, "epoch", int64(l.Epoch))
	c.that(err != nil || l.Epoch == lost.Epoch+1, "epoch", "it does not follow the lost checkpoint's")
	c.filled("reason", l.Reason)
	c.filled("by", l.By)
	c.instant("logged_at", l.LoggedAt)
	return c.result(members{
		"by":              quote(l.By),
		"epoch":           integer(int64(l.Epoch)),
		"logged_at":       instant(l.LoggedAt),
		"lost_checkpoint": quote(l.LostCheckpoint),
		"reason":          quote(l.Reason),
	})
}

// correctionFields are the fields of a Reopening or Closing as they are written.
type correctionFields struct {
	By            string `json:"by"`
	InvoiceNumber string `json:"invoice_number"`
	LoggedAt      string `json:"logged_at"`
	Reason        string `json:"reason"`
	Revision      int64  `json:"revision"`
}

type reopeningFields struct{ correctionFields }

func (f reopeningFields) leaf() (Leaf, error) {
	at, err := parseInstant(f.LoggedAt)
	return Reopening{
		InvoiceNumber: f.InvoiceNumber, Revision: f.Revision, Reason: f.Reason, By: f.By, LoggedAt: at,
	}, err
}

type closingFields struct{ correctionFields }

func (f closingFields) leaf() (Leaf, error) {
	at, err := parseInstant(f.LoggedAt)
	return Closing{
		InvoiceNumber: f.InvoiceNumber, Revision: f.Revision, Reason: f.Reason, By: f.By, LoggedAt: at,
	}, err
}

type redactionFields struct {
	By            string      `json:"by"`
	InvoiceNumber string      `json:"invoice_number"`
	LeafIndex     int64       `json:"leaf_index"`
	LoggedAt      string      `json:"logged_at"`
	Reason        string      `json:"reason"`
	Redacted      []Committed `json:"redacted"`
	Revision      int64       `json:"revision"`
}

func (f redactionFields) leaf() (Leaf, error) {
	at, err := parseInstant(f.LoggedAt)
	return Redaction{
		LeafIndex: f.LeafIndex, InvoiceNumber: f.InvoiceNumber, Revision: f.Revision,
		Redacted: f.Redacted, Reason: f.Reason, By: f.By, LoggedAt: at,
	}, err
}

type newEpochFields struct {
	By             string `json:"by"`
	Epoch          int    `json:"epoch"`
	LoggedAt       string `json:"logged_at"`
	LostCheckpoint string `json:"lost_checkpoint"`
	Reason         string `json:"reason"`
}

func (f newEpochFields) leaf() (Leaf, error) {
	at, err := parseInstant(f.LoggedAt)
	return NewEpoch{
		Epoch: f.Epoch, LostCheckpoint: f.LostCheckpoint, Reason: f.Reason, By: f.By, LoggedAt: at,
	}, err
}
