package query

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// Version is what the history kept of a record for a while.
type Version struct {
	From      time.Time
	To        *time.Time // nil: it is so now. Where the next version begins later, the record was gone
	RunID     *codex.RunID
	ChangedBy *string        // the person who brought it, where no run did
	EndedRun  RunRef         // what ended it; empty where no run did, and for the version of now
	EndedBy   *string        // the person who ended it, where no run did
	Changes   []*FieldChange // against the version before; none in the first one, or where not asked for
}

// FieldChange is a column whose value changed. Values are texts: numbers as digits, true or false,
// times in RFC 3339 in UTC, lists in JSON; nil is null.
type FieldChange struct {
	Column   string
	Old, New *string
}

// VersionsOfCompanies are the versions of each company, oldest first; with their changes where those
// are asked for.
func (r *Reader) VersionsOfCompanies(ctx context.Context, accounts []codex.AccountNumber, changes bool) (map[codex.AccountNumber][]*Version, error) {
	return versionsByKey(ctx, r, EntityCompany, accounts, textKey[codex.AccountNumber], changes)
}

// VersionsOf are the versions of each record of an entity whose key is an integer, oldest first;
// with their changes where those are asked for.
func (r *Reader) VersionsOf(ctx context.Context, e Entity, ids []int, changes bool) (map[int][]*Version, error) {
	return versionsByKey(ctx, r, e, ids, intKey, changes)
}

func versionsByKey[K store.Key](ctx context.Context, r *Reader, e Entity, keys []K, parse func(ent.Value) (K, bool), changes bool) (map[K][]*Version, error) {
	t := versionsOf(e)
	rows, err := r.versionRows(ctx, e, func(s *sql.Selector) {
		key := t.key[0]
		s.AppendSelectAs(s.C(key), parentKey)
		for _, column := range []string{fieldSeenFrom, fieldSeenTo, fieldRunID, fieldChangedBy, fieldEndedRunID, fieldEndedBy} {
			s.AppendSelectAs(s.C(column), asRead+column)
		}
		if changes {
			for _, column := range t.kept() {
				s.AppendSelectAs(s.C(column.Name), asNew+column.Name)
			}
		}
		store.KeyIn(key, keys)(s)
		s.OrderBy(s.C(key), s.C(fieldSeenFrom), s.C(fieldVersionID))
	})
	if err != nil {
		return nil, fmt.Errorf("reading versions of %s: %w", e, err)
	}
	groups, err := groupByParent(rows, parse)
	if err != nil {
		return nil, err
	}
	versions := make(map[K][]*Version, len(groups))
	for key, rows := range groups {
		var before *reading
		for _, row := range rows {
			now := &reading{row: row}
			v := &Version{
				From: now.moment(asRead + fieldSeenFrom), To: now.time(asRead + fieldSeenTo),
				RunID:     (*codex.RunID)(now.text(asRead+fieldRunID, field.TypeString)),
				ChangedBy: now.text(asRead+fieldChangedBy, field.TypeString),
			}
			if v.To != nil {
				v.EndedRun, v.EndedBy = t.endOf(now, *v.To)
			}
			if changes && before != nil {
				v.Changes = t.differences(before.kept(asNew), now.kept(asNew))
			}
			if now.err != nil {
				return nil, now.err
			}
			versions[key] = append(versions[key], v)
			before = now
		}
	}
	return versions, nil
}
