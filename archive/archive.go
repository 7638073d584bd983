package archive

import (
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

// Entity names the revision (store.Tx.Raise) of all tables of this package: it moves with every bill
// and every event.
const Entity = "snapshots"

// Options are what an archive is kept with.
type Options struct {
	DB *store.DB
	// RejectUnknown refuses bills of an account number that no company has; else they are marked.
	RejectUnknown bool
	// RejectTotals refuses bills whose total is not the sum of its parts; else they are marked.
	RejectTotals bool
	// KeyFile is the path of the key with which the log's checkpoints are signed. It is made where the
	// log has none yet; from then on the log is appended to with that key alone.
	KeyFile string
	// CheckpointFile is the path where the newest signed log checkpoint is kept outside the database,
	// by which an older backup of that is recognised. Replicas share one: what each signs, the others
	// know before they append. Empty: archive.checkpoint beside the key.
	CheckpointFile string
	// Origin is what the log is called ([proof.CheckOrigin]); empty: whatever its key says.
	Origin string
	// NewOrigin is what a log without Origin is called when its key is made.
	NewOrigin string
	Ledger    Fetcher       // nil: no Ledger that keeps its bills is known
	Publish   Publisher     // nil: log checkpoints are published nowhere
	Every     time.Duration // how often [Archive.Keep] looks; 0 is a minute
	Notify    notify.Outbox // where it is told that the log stopped
	Random    io.Reader     // of salts and keys: crypto/rand.Reader but in tests
	Logger    *slog.Logger
}

// Archive keeps bills. It is safe for concurrent use, by any number of processes on one database.
type Archive struct {
	db      *store.DB
	o       Options
	keys    *keyring
	outside *outside
	signing chan struct{} // has room for the one who signs
	signed  atomic.Int64  // how many leaves are signed, as far as this process knows
	// unwritable is why the last signature could not be kept outside the database; nil where it could.
	unwritable atomic.Pointer[StoppedError]
	attention  attention
	logger     *slog.Logger
}

// New keeps bills in o.DB.
func New(o Options) *Archive {
	if o.CheckpointFile == "" {
		o.CheckpointFile = filepath.Join(filepath.Dir(o.KeyFile), "archive.checkpoint")
	}
	return &Archive{
		db: o.DB, o: o,
		keys: &keyring{
			file: o.KeyFile, origin: o.Origin, newOrigin: o.NewOrigin, random: o.Random, logger: o.Logger,
		},
		outside: &outside{path: o.CheckpointFile},
		signing: make(chan struct{}, 1),
		logger:  o.Logger,
	}
}
