package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
)

// Lease is what a holder of a lease has in its hands. Epoch rises with each change of holder, so
// two holders never have the same.
type Lease struct {
	Name   string
	Holder string
	Epoch  int64
}

// ErrLeaseHeld is what errors.Is finds in a [LeaseHeldError].
var ErrLeaseHeld = errors.New("the lease is held")

// ErrLeaseLost says that a lease has expired or gone to another holder: whoever gets it stops.
var ErrLeaseLost error = codex.Errorf(codex.CodeConflict, "the lease was lost to another process")

// LeaseHeldError says who holds the lease that somebody else asked for.
type LeaseHeldError struct{ Name, Holder string }

// Error names the lease and its holder.
func (e *LeaseHeldError) Error() string {
	return fmt.Sprintf("the lease %s is held by %s", e.Name, e.Holder)
}

// Is finds [ErrLeaseHeld].
func (e *LeaseHeldError) Is(target error) bool { return target == ErrLeaseHeld }

// Unwrap gives it the code [codex.CodeConflict].
func (e *LeaseHeldError) Unwrap() error {
	return codex.Errorf(codex.CodeConflict, "held by %s", e.Holder)
}

// clockSQL is the database's own clock, since those of replicas may differ, in microseconds, at the time that it is read and not at the
// beginning of the transaction.
func clockSQL(dialectName string) string {
	if dialectName == dialect.Postgres {
		return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS integer)"
}

// Acquire takes a lease for ttl if it is free or expired, with a new epoch; else it gives a
// [*LeaseHeldError] at once.
func (db *DB) Acquire(ctx context.Context, name, holder string, ttl time.Duration) (*Lease, error) {
	clock := clockSQL(db.dialect)
	lease := &Lease{Name: name, Holder: holder}
	err := db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		// While the holder writes, its row is locked, and taking it would wait: so look first.
		other := &LeaseHeldError{Name: name}
		look := "SELECT holder FROM leases WHERE name = $1 AND expires > " + clock
		switch err := tx.sql.QueryRowContext(ctx, look, name).Scan(&other.Holder); {
		case err == nil:
			return other
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		take := "INSERT INTO leases (name, holder, epoch, expires) VALUES ($1, $2, 1, " + clock + " + $3)" +
			" ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = leases.epoch + 1, expires = " + clock + " + $3" +
			" WHERE leases.expires <= " + clock + " RETURNING epoch"
		err := tx.sql.QueryRowContext(ctx, take, name, holder, ttl.Microseconds()).Scan(&lease.Epoch)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		// Somebody was quicker.
		if err := tx.sql.QueryRowContext(ctx, "SELECT holder FROM leases WHERE name = $1", name).Scan(&other.Holder); err != nil {
			return err
		}
		return other
	})
	if err != nil {
		return nil, fmt.Errorf("taking the lease %s: %w", name, err)
	}
	return lease, nil
}

// LeaseHeld tells whether anybody holds the lease name now.
func (db *DB) LeaseHeld(ctx context.Context, name string) (bool, error) {
	var held bool
	query := "SELECT EXISTS (SELECT 1 FROM leases WHERE name = $1 AND expires > " + clockSQL(db.dialect) + ")"
	if err := db.sql.QueryRowContext(ctx, query, name).Scan(&held); err != nil {
		return false, fmt.Errorf("looking for the lease %s: %w", name, Translate(err))
	}
	return held, nil
}

// Renew makes l last ttl from now. One that had expired but that nobody took is taken up again;
// one that was taken is [ErrLeaseLost]. It waits while a transaction that checked l runs.
func (db *DB) Renew(ctx context.Context, l *Lease, ttl time.Duration) error {
	renew := "UPDATE leases SET expires = " + clockSQL(db.dialect) + " + $1 WHERE name = $2 AND holder = $3 AND epoch = $4"
	err := db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return changedOne(tx.sql.ExecContext(ctx, renew, ttl.Microseconds(), l.Name, l.Holder, l.Epoch))
	})
	if err != nil {
		return fmt.Errorf("renewing the lease %s: %w", l.Name, err)
	}
	return nil
}

// Release gives l up, so that another may take it at once. One that was lost is not touched.
func (db *DB) Release(ctx context.Context, l *Lease) error {
	const release = "UPDATE leases SET expires = 0 WHERE name = $1 AND holder = $2 AND epoch = $3"
	err := db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		err := changedOne(tx.sql.ExecContext(ctx, release, l.Name, l.Holder, l.Epoch))
		if errors.Is(err, ErrLeaseLost) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("releasing the lease %s: %w", l.Name, err)
	}
	return nil
}

// CheckLease makes sure that l is still held and keeps it so until the transaction ends: nobody
// takes it meanwhile, even past its end. So what a holder writes after this call is written by the
// only holder there is, and one that was presumed dead gets [ErrLeaseLost] and writes nothing.
func (tx *Tx) CheckLease(ctx context.Context, l *Lease) error {
	query := "SELECT expires > " + clockSQL(tx.dialect) + " FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3"
	if tx.write && tx.dialect == dialect.Postgres {
		query += " FOR SHARE"
	}
	var good bool
	err := tx.sql.QueryRowContext(ctx, query, l.Name, l.Holder, l.Epoch).Scan(&good)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && !good:
		err = ErrLeaseLost
	case err == nil:
		return nil
	}
	return fmt.Errorf("checking the lease %s: %w", l.Name, Translate(err))
}

func changedOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if changed == 0 {
		return ErrLeaseLost
	}
	return nil
}
