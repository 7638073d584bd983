package plans

import (
	"context"

	"github.com/hivematrix/codex/ent"
)

// All is [All] of the database as it is.
func (p *Plans) All(ctx context.Context) ([]Plan, error) { return All(ctx, p.db.Ent()) }

// One is [One] of the database as it is.
func (p *Plans) One(ctx context.Context, key Key) (*Plan, error) { return One(ctx, p.db.Ent(), key) }

// Keys is [Keys] of the database as it is.
func (p *Plans) Keys(ctx context.Context) ([]Key, error) { return Keys(ctx, p.db.Ent()) }

// ByKey is [ByKey] of the database as it is.
func (p *Plans) ByKey(ctx context.Context, keys []Key) (map[Key]*Plan, error) {
	return ByKey(ctx, p.db.Ent(), keys)
}

// History is [History] of the database as it is.
func (p *Plans) History(ctx context.Context, ids []int) (map[int][]Version, error) {
	return History(ctx, p.db.Ent(), ids)
}

// Users is [Users] of the database as it is.
func (p *Plans) Users(ctx context.Context) (map[Key]int, error) { return Users(ctx, p.db.Ent()) }

// Without is [Without] of the database as it is.
func (p *Plans) Without(ctx context.Context, first int) ([]*ent.Company, error) {
	return Without(ctx, p.db.Ent(), first)
}
