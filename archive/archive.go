package archive

import (
	"io"
	"log/slog"

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
	Random       io.Reader // of salts: crypto/rand.Reader but in tests
	Logger       *slog.Logger
}

// Archive keeps bills. It is safe for concurrent use, by any number of processes on one database.
type Archive struct {
	db     *store.DB
	o      Options
	logger *slog.Logger
}

// New keeps bills in o.DB.
func New(o Options) *Archive { return &Archive{db: o.DB, o: o, logger: o.Logger} }
