package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresTimeout bounds the first answer of a server, each host of several.
const postgresTimeout = 10 * time.Second

// openPostgres makes one pool, for ent and for statements of our own. Sessions are in UTC. Nothing
// depends on a session, so a transaction pooler may stand in between.
func (db *DB) openPostgres(ctx context.Context, o Options) error {
	config, err := pgxpool.ParseConfig(o.DSN.Reveal())
	if err != nil {
		// Its text quotes the URL with the password masked, so it may be shown.
		return err
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = postgresTimeout
	}
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "codex"
	}
	if !strings.Contains(o.DSN.Reveal(), "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, 16)
	}
	if !strings.Contains(o.DSN.Reveal(), "default_query_exec_mode") {
		if config.ConnConfig.DefaultQueryExecMode, err = execMode(ctx, config.ConnConfig); err != nil {
			return err
		}
	}
	if o.OnStatement != nil {
		config.ConnConfig.Tracer = postgresTracer{counter(o.OnStatement)}
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return err
	}
	db.sql, db.name, db.stop = stdlib.OpenDBFromPool(pool), config.ConnConfig.Database, pool.Close
	return nil
}

// execMode asks whether a pooler stands between us and the server: then the process that answers
// is not the one that the connection was told of when it was made. Named prepared statements are
// planned once and kept, but a transaction pooler may run a statement in a session that never
// prepared it (PgBouncer before 1.21 does); without names nothing can be missed. A URL with
// default_query_exec_mode decides by itself.
func execMode(ctx context.Context, config *pgx.ConnConfig) (mode pgx.QueryExecMode, err error) {
	config = config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var backend uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, fmt.Errorf("asking which process answers: %w", err)
	}
	if backend != conn.PgConn().PID() {
		return pgx.QueryExecModeCacheDescribe, nil
	}
	return pgx.QueryExecModeCacheStatement, nil
}

// postgresTracer counts statements.
type postgresTracer struct{ count counter }

func (t postgresTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.count.statement(ctx, data.SQL)
	return ctx
}

func (postgresTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
