package syncers

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/store"
)

// looking is how often the runs' rows are read while somebody watches.
const looking = time.Second

// lateEnd is how much older than the look that finds it the end of a run may say that it is, which no
// look has seen at work: the replica that wrote it has a clock of its own, and its commit took time.
const lateEnd = time.Minute

// Progress tells of runs as they go, whichever process works on them: what it knows, it reads from
// their rows. However many watch, the rows are read once a second, and not at all while nobody does.
// It is safe for concurrent use, and needs no end: when the last watcher goes, so does its reader.
type Progress struct {
	db     *store.DB
	logger *slog.Logger

	mu       sync.Mutex
	watchers map[*watcher]bool
	stop     context.CancelFunc // ends the reader; nil while nobody watches
	look     chan struct{}      // asks the reader to look at once
}

// NewProgress makes a Progress of the runs in db.
func NewProgress(db *store.DB, logger *slog.Logger) *Progress {
	return &Progress{db: db, logger: logger, watchers: make(map[*watcher]bool), look: make(chan struct{}, 1)}
}

// Watch gives the unfinished runs of a feed, or of all where it is empty, as they stand, then the row
// of each that changes, its end being the last. Of a run that changes faster than it is taken from the
// channel the newest row is given, and nobody else waits. Rows are shared: read them only. When ctx
// ends, the channel is closed.
func (p *Progress) Watch(ctx context.Context, feed codex.Feed) <-chan *ent.SyncRun {
	w := &watcher{feed: feed, since: p.db.Now(), fresh: true, news: make(chan struct{}, 1), waiting: make(map[codex.RunID]*ent.SyncRun)}
	rows := make(chan *ent.SyncRun)
	p.enter(w)
	go func() {
		defer close(rows)
		defer p.leave(w)
		w.hand(ctx, rows)
	}()
	return rows
}

func (p *Progress) enter(w *watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers[w] = true
	if p.stop == nil {
		var ctx context.Context // it reads for all who come after, too
		ctx, p.stop = context.WithCancel(context.Background())
		go p.read(ctx)
		return
	}
	wake(p.look)
}

func (p *Progress) leave(w *watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watchers, w)
	if len(p.watchers) == 0 {
		p.stop()
		p.stop = nil
	}
}

// wake asks for what is asked for once, however often.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// read looks at the rows until ctx ends.
func (p *Progress) read(ctx context.Context) {
	ticker := time.NewTicker(looking)
	defer ticker.Stop()
	var seen *sight
	failed := false
	for {
		now, err := p.see(ctx, seen)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			p.tell(seen, now)
			seen, failed = now, false
		case !failed: // once for as long as it lasts
			failed = true
			p.logger.WarnContext(ctx, "the progress of syncs cannot be read", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-p.look:
		}
	}
}

// sight is what a look at the rows saw: unfinished runs, and those that have ended lately.
type sight struct {
	rows []*ent.SyncRun // in the order in which they were asked for
	text map[codex.RunID]string
}

// see looks at the rows: those of unfinished runs, of those that were unfinished when they were last
// seen, and of those that have ended since.
func (p *Progress) see(ctx context.Context, before *sight) (*sight, error) {
	var unfinished []codex.RunID
	if before != nil {
		for _, row := range before.rows {
			if !row.State.Final() {
				unfinished = append(unfinished, row.ID)
			}
		}
	}
	rows, err := p.db.Ent().SyncRun.Query().Where(syncrun.Or(
		syncrun.StateIn(codex.RunQueued, codex.RunRunning),
		syncrun.IDIn(unfinished...),
		syncrun.And(syncrun.FeedIn(codex.Feeds()...), syncrun.EndedAtGTE(p.db.Now().Add(-lateEnd))), // an index has both
	)).Order(ent.Asc(syncrun.FieldQueuedAt, syncrun.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the runs at work: %w", store.Translate(err))
	}
	now := &sight{rows: rows, text: make(map[codex.RunID]string, len(rows))}
	for _, row := range rows {
		now.text[row.ID] = row.String()
	}
	return now, nil
}

// tell hands what differs between two looks to those who watch; to who has just begun to, all that is
// unfinished.
func (p *Progress) tell(before, now *sight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watchers {
		for _, row := range now.rows {
			if w.feed == "" || w.feed == row.Feed {
				w.tell(row, before.differs(now, row.ID))
			}
		}
		w.fresh = false
	}
}

// differs tells whether a run is otherwise than it was seen before, and whether it was seen at all.
func (s *sight) differs(now *sight, id codex.RunID) difference {
	if s == nil {
		return unseen
	}
	text, known := s.text[id]
	switch {
	case !known:
		return unseen
	case text != now.text[id]:
		return changed
	}
	return same
}

type difference int

const (
	same difference = iota
	changed
	unseen
)

// watcher is somebody who watches.
type watcher struct {
	feed  codex.Feed // empty: all
	since time.Time
	fresh bool          // has seen nothing yet
	news  chan struct{} // there is something in waiting

	mu      sync.Mutex
	waiting map[codex.RunID]*ent.SyncRun // the newest rows that were not taken yet
	order   []codex.RunID                // of those
}

// tell takes a row, unless the watcher knows it, or its run was over before the watching began.
func (w *watcher) tell(row *ent.SyncRun, d difference) {
	switch {
	case d == changed:
	case !row.State.Final():
		if d == same && !w.fresh {
			return
		}
	case d == same, row.EndedAt == nil || row.EndedAt.Before(w.since):
		return
	}
	w.mu.Lock()
	if _, waits := w.waiting[row.ID]; !waits {
		w.order = append(w.order, row.ID)
	}
	w.waiting[row.ID] = row
	w.mu.Unlock()
	wake(w.news)
}

// hand gives the rows, as fast as they are taken, until ctx ends.
func (w *watcher) hand(ctx context.Context, rows chan<- *ent.SyncRun) {
	for {
		row := w.next()
		if row == nil {
			select {
			case <-ctx.Done():
				return
			case <-w.news:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case rows <- row:
		}
	}
}

// next is the row that has waited longest, nil where none waits.
func (w *watcher) next() *ent.SyncRun {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		return nil
	}
	id := w.order[0]
	w.order = w.order[1:]
	row := w.waiting[id]
	delete(w.waiting, id)
	return row
}
