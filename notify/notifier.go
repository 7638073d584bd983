package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/notification"
	"github.com/hivematrix/codex/store"
)

const (
	leaseName = "notify"
	leaseTTL  = 15 * time.Second
	// lookEvery is how often each process looks whether something is due.
	lookEvery = time.Second
	// claim is how long an attempt whose process died keeps its notification from others: longer than an
	// attempt takes.
	claim = time.Minute
	// writing is how long the end of an attempt may take to be written, also while the hub stops.
	writing = 10 * time.Second
	// page is how many notifications are read at once.
	page = 50
	// kept is how long a notification stays after it was delivered or given up.
	kept = 90 * 24 * time.Hour
	// tidyEvery is how often older ones are removed.
	tidyEvery = time.Hour
)

// Options are what a [Notifier] works with.
type Options struct {
	DB *store.DB
	// URL is where events are posted: http or https. Empty: there is no section [notify], and nothing is
	// delivered or tried.
	URL    string
	Secret codex.Secret
	Logger *slog.Logger

	Every time.Duration // how often it looks for what is due; 0 is a second
	Limit time.Duration // of an attempt; 0 is ten seconds
}

// Notifier delivers what is in the outbox. It is safe for concurrent use, by any number of processes on
// one database.
type Notifier struct {
	db     *store.DB
	sender *sender // nil: nobody listens
	every  time.Duration
	holder string
	logger *slog.Logger
}

// New makes a notifier, or says what is wrong with the address.
func New(o Options) (*Notifier, error) {
	n := &Notifier{db: o.DB, every: o.Every, holder: uuid.NewString(), logger: o.Logger}
	if n.every == 0 {
		n.every = lookEvery
	}
	if o.URL == "" {
		return n, nil
	}
	if o.Limit == 0 {
		o.Limit = attemptTime
	}
	var err error
	n.sender, err = newSender(o.URL, o.Secret, o.Limit, o.DB.Now)
	return n, err
}

// Serve delivers what is due until ctx ends; at once where nobody listens. An attempt that is under way
// then is broken off, and made again by the next process.
func (n *Notifier) Serve(ctx context.Context) {
	if n.sender == nil {
		return
	}
	ticker := time.NewTicker(n.every)
	defer ticker.Stop()
	var tidied time.Time
	failing := ""
	for {
		err := n.round(ctx)
		if now := n.db.Now(); err == nil && !now.Before(tidied.Add(tidyEvery)) {
			tidied = now
			err = n.tidy(ctx)
		}
		failing = n.tell(ctx, failing, err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tell logs what keeps the outbox from being worked on, once as long as it is the same.
func (n *Notifier) tell(ctx context.Context, before string, err error) (now string) {
	if err == nil || ctx.Err() != nil {
		return ""
	}
	if now = err.Error(); now != before {
		n.logger.ErrorContext(ctx, "notifications wait", slog.Any("err", err))
	}
	return now
}

// round delivers all that is due, if no other process is at it.
func (n *Notifier) round(ctx context.Context) error {
	due, err := n.due(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	held, err := n.db.LeaseHeld(ctx, leaseName)
	if err != nil || held {
		return err
	}
	err = n.db.Hold(ctx, leaseName, n.holder, leaseTTL, func(ctx context.Context, lease *store.Lease) error {
		for {
			due, err := n.due(ctx)
			if err != nil || len(due) == 0 {
				return err
			}
			for _, id := range due {
				if err := n.deliver(ctx, lease, id); err != nil {
					return err
				}
			}
		}
	})
	if ctx.Err() != nil || errors.Is(err, store.ErrLeaseLost) { // then another goes on
		return nil
	}
	return err
}

// due are the notifications whose time has come, the longest due first.
func (n *Notifier) due(ctx context.Context) ([]string, error) {
	ids, err := n.db.Ent().Notification.Query().Where(notification.NextAtLTE(n.db.Now())).
		Order(notification.ByNextAt(), notification.ByID()).Limit(page).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for notifications to deliver: %w", store.Translate(err))
	}
	return ids, nil
}

// deliver is one attempt. What the receiver does is no error.
func (n *Notifier) deliver(ctx context.Context, lease *store.Lease, id string) error {
	row, err := n.claim(ctx, lease, id)
	if err != nil || row == nil {
		return err
	}
	got, err := n.sender.post(ctx, id, Kind(row.Kind), []byte(row.Body))
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("delivering a notification: %w", context.Cause(ctx))
	}
	if err == nil && !got.taken() {
		err = errors.New(got.String())
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), writing)
	defer cancel()
	return n.conclude(ending, lease, row, err)
}

// claim notes that an attempt begins; nil where there is none to make any more.
func (n *Notifier) claim(ctx context.Context, lease *store.Lease, id string) (row *ent.Notification, err error) {
	err = n.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		claimed, err := tx.Ent().Notification.Update().Where(notification.ID(id), notification.NextAtLTE(tx.Now())).
			AddAttempts(1).SetNextAt(tx.Now().Add(claim)).Save(ctx)
		if err != nil || claimed == 0 {
			row = nil
			return err
		}
		row, err = tx.Ent().Notification.Get(ctx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("beginning to deliver a notification: %w", err)
	}
	return row, nil
}

// conclude writes how the attempt went: failed is why the receiver has it not.
func (n *Notifier) conclude(ctx context.Context, lease *store.Lease, row *ent.Notification, failed error) error {
	wait, giveUp := after(row.Attempts, rand.Float64())
	err := n.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		// Somebody may have asked meanwhile for it to be delivered again: that stays.
		update := tx.Ent().Notification.Update().
			Where(notification.ID(row.ID), notification.Attempts(row.Attempts), notification.NextAtNotNil())
		switch {
		case failed == nil:
			update.SetDeliveredAt(tx.Now()).ClearNextAt().ClearLastError()
		case giveUp:
			update.SetGaveUpAt(tx.Now()).ClearNextAt().SetLastError(failed.Error())
		default:
			update.SetNextAt(tx.Now().Add(wait)).SetLastError(failed.Error())
		}
		return update.Exec(ctx)
	})
	attrs := []any{slog.String("notification", row.ID), slog.String("kind", row.Kind), slog.Int("attempt", row.Attempts)}
	switch {
	case err != nil:
		return fmt.Errorf("writing how a notification was delivered: %w", err)
	case failed == nil:
		n.logger.InfoContext(ctx, "notification delivered", attrs...)
	case giveUp:
		n.logger.ErrorContext(ctx, "notification given up", append(attrs, slog.Any("err", failed))...)
	default:
		n.logger.WarnContext(ctx, "notification not delivered", append(attrs, slog.Duration("again_in", wait), slog.Any("err", failed))...)
	}
	return nil
}

// tidy removes what was delivered or given up long ago.
func (n *Notifier) tidy(ctx context.Context) error {
	before := n.db.Now().Add(-kept)
	old := notification.Or(notification.DeliveredAtLT(before), notification.GaveUpAtLT(before))
	there, err := n.db.Ent().Notification.Query().Where(old).Exist(ctx)
	if err == nil && there {
		_, err = n.db.Ent().Notification.Delete().Where(old).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("removing old notifications: %w", store.Translate(err))
	}
	return nil
}
