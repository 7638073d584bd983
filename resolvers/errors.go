package resolvers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/scalar"
	"github.com/hivematrix/codex/store"
)

// presenter decides what an error tells the caller: extensions.code always, extensions.field where
// an argument is at fault, and a message. What has no code is a defect of ours and tells nothing
// but the id of the request, under which the log has the cause.
//
// Nothing is logged once the request is over: its caller has gone or its time is up, and what fails
// then fails because of that, in whatever words a database has for it (SQLite's are not those of
// package context).
//
// Beside the codes of package codex there are two for a text that is no query of this schema:
// GRAPHQL_PARSE_FAILED and GRAPHQL_VALIDATION_FAILED. The value of a variable that is none of its
// type is BAD_USER_INPUT. gqlparser looks at variables before anything runs, and names the variable;
// what it lets pass ("5" for an Int, an enum's word in other letters) package scalar refuses where
// it is used, which names the argument.
type presenter struct{ logger *slog.Logger }

// present implements graphql.ErrorPresenterFunc.
func (p presenter) present(ctx context.Context, err error) *gqlerror.Error {
	err = store.Translate(err)
	shown := &gqlerror.Error{Extensions: map[string]any{}}
	wrapped, isGraphQL := errors.AsType[*gqlerror.Error](err)
	if isGraphQL {
		shown.Path, shown.Locations = wrapped.Path, wrapped.Locations
	}
	if coded, ok := errors.AsType[*codex.Error](err); ok && coded.Code != codex.CodeInternal {
		shown.Message = coded.Message
		shown.Extensions["code"] = coded.Code
		if field := coded.Field; field != "" {
			shown.Extensions["field"] = field
		}
		if coded.Err != nil && ctx.Err() == nil {
			p.log(ctx, slog.LevelWarn, err)
		}
		return shown
	}
	if bad, ok := errors.AsType[scalar.InputError](err); ok {
		shown.Message = bad.Error()
		shown.Extensions["code"] = codex.CodeBadInput
		if n := len(shown.Path); n > 0 {
			shown.Extensions["field"] = shown.Path[n-1]
		}
		shown.Path = graphql.GetFieldContext(ctx).Path() // without the argument: the path of an answer
		return shown
	}
	if isGraphQL && wrapped.Err == nil && wrapped.Extensions["code"] != nil {
		shown.Message = wrapped.Message
		shown.Extensions["code"] = wrapped.Extensions["code"]
		if variable, ok := variableAt(wrapped.Path); ok {
			shown.Path = nil // it is no path of an answer
			shown.Message = "the variable " + wrapped.Path[1:].String() + ": " + aboutVariable(wrapped.Message)
			shown.Extensions["code"] = codex.CodeBadInput
			shown.Extensions["field"] = variable
		}
		return shown
	}
	shown.Message = "internal error"
	shown.Extensions["code"] = codex.CodeInternal
	if id := codex.RequestIDFrom(ctx); id != "" {
		shown.Extensions["requestId"] = id
	}
	if ctx.Err() == nil {
		p.log(ctx, slog.LevelError, err)
	}
	return shown
}

// recovered implements graphql.RecoverFunc.
func (p presenter) recovered(_ context.Context, panicked any) error {
	return fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
}

// log writes err, unless it was written already for another field of the same request: a batch that
// fails gives its error to every row.
func (p presenter) log(ctx context.Context, level slog.Level, err error) {
	if wrapped, ok := errors.AsType[*gqlerror.Error](err); ok && wrapped.Err != nil {
		err = wrapped.Err // the wrapping tells a place in the answer, and differs from row to row
	}
	if seen, ok := ctx.Value(loggedKey{}).(*logged); ok && seen.before(err) {
		return
	}
	attrs := []slog.Attr{slog.String("err", err.Error())}
	if caller, ok := codex.CallerFrom(ctx); ok {
		attrs = append(attrs, slog.String("caller", caller.Name))
	}
	if id := codex.RequestIDFrom(ctx); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	p.logger.LogAttrs(ctx, level, "a query could not be answered", attrs...)
}

// variableAt is the name of the variable that a validation error is about.
func variableAt(path ast.Path) (string, bool) {
	if len(path) < 2 || path[0] != ast.PathName("variable") {
		return "", false
	}
	name, ok := path[1].(ast.PathName)
	return string(name), ok
}

// aboutVariable is what gqlparser says of a variable, but for where it tells the Go type that it met,
// or takes 2.5 for 0: there it is what would be right.
func aboutVariable(message string) string {
	if strings.HasPrefix(message, "cannot use ") {
		_, name, _ := strings.Cut(message, " as ")
		if expected, ok := scalar.Expected(name); ok {
			return expected.Error()
		}
	}
	return message
}

type loggedKey struct{}

// logged are the causes that were logged for a request.
type logged struct {
	mu   sync.Mutex
	seen map[error]bool
}

func withLogged(ctx context.Context) context.Context {
	return context.WithValue(ctx, loggedKey{}, &logged{seen: map[error]bool{}})
}

func (l *logged) before(err error) bool {
	if !reflect.TypeOf(err).Comparable() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen[err]
	l.seen[err] = true
	return seen
}
