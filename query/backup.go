package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/assetversion"
	"github.com/hivematrix/codex/ent/backupreading"
	"github.com/hivematrix/codex/ent/predicate"
)

// BackupReading is the size that an asset's backup had from a day on.
type BackupReading struct {
	AssetID int
	Day     codex.Day
	Bytes   *codex.Bytes // nil: it stopped telling a number
}

// UsageTB is the size in units of 1024⁴ bytes.
func (b BackupReading) UsageTB() *float64 {
	if b.Bytes == nil {
		return nil
	}
	tb := b.Bytes.TB()
	return &tb
}

// DayFilter says which days are wanted, both ends included; its zero value: all.
type DayFilter struct {
	From, To *codex.Day // nil: any
}

// BackupReadingsByAsset are the readings of each asset by day. A day whose size is that of the day
// before has none.
func (r *Reader) BackupReadingsByAsset(ctx context.Context, assets []int, filter DayFilter) (map[int][]*BackupReading, error) {
	q := r.client.BackupReading.Query().
		Where(keyIn[predicate.BackupReading](backupreading.FieldAssetID, assets)).
		Order(backupreading.ByAssetID(), backupreading.ByDay())
	if filter.From != nil {
		q.Where(backupreading.DayGTE(int(*filter.From)))
	}
	if filter.To != nil {
		q.Where(backupreading.DayLTE(int(*filter.To)))
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading backup sizes by asset: %w", err)
	}
	readings := make(map[int][]*BackupReading)
	for _, row := range rows {
		readings[row.AssetID] = append(readings[row.AssetID],
			&BackupReading{AssetID: row.AssetID, Day: codex.Day(row.Day), Bytes: (*codex.Bytes)(row.Bytes)})
	}
	return readings, nil
}

// readingOf is the newest reading, by the end of a day, of the asset that a version in s is of. One
// lookup an asset: over two years an asset has hundreds of readings.
func readingOf(s *sql.Selector, day codex.Day) sql.Querier {
	t := sql.Table(backupreading.Table).As("reading")
	newest := sql.Dialect(s.Dialect()).Select(t.C(backupreading.FieldBytes)).From(t).
		Where(sql.And(
			sql.ColumnsEQ(t.C(backupreading.FieldAssetID), s.C(assetversion.FieldAssetID)),
			sql.LTE(t.C(backupreading.FieldDay), int(day)),
		)).
		OrderBy(sql.Desc(t.C(backupreading.FieldDay))).Limit(1)
	return sql.ExprFunc(func(b *sql.Builder) { b.WriteString("(").Join(newest).WriteString(")") })
}
