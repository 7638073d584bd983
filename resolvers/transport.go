package resolvers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
)

// transport is GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): queries and
// subscriptions by GET, these and mutations by POST of JSON, one at a time. It takes no forms, so
// that a page of another site cannot ask in a browser's name, and it writes the data as the executor
// made it, which saves checking and copying megabytes.
type transport struct {
	bodyBytes  int64
	time       time.Duration // of a query or mutation
	ping       time.Duration // between two signs of life of a stream
	costLimit  int           // for its header alone
	operations *slots        // queries and mutations, and what is not known yet to be neither
	streams    *slots        // subscriptions
	streamsEnd context.Context
	errors     presenter
}

// The headers that tell what an operation costs, and what one may at most.
const (
	headerCost      = "X-GraphQL-Cost"
	headerCostLimit = "X-GraphQL-Cost-Limit"
)

// shownErrors is how many errors of a query's text are told: a text of a thousand mistakes would
// have an answer that is longer than itself.
const shownErrors = 50

// errTime is the cause of a request's end that took longer than [Limits.Time].
var errTime = errors.New("the time for a GraphQL request is over")

// errTooLong is what its caller is told.
func errTooLong() error {
	return codex.Errorf(codex.CodeUnavailable, "the query took too long (time_limit): ask for less at once")
}

// Supports implements graphql.Transport: what cannot be served is refused here too, with a reason.
func (transport) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (t transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		t.reject(w, r, http.StatusNotAcceptable, "answers are "+mediaGraphQL+", "+mediaJSON+" or "+mediaEvents)
		return
	}
	params := t.params(w, r)
	if params == nil {
		return
	}
	ctx := r.Context()
	caller, _ := codex.CallerFrom(ctx)
	if !t.operations.enter(caller) {
		t.refuseBusy(w, r, media, caller)
		return
	}
	leave := sync.OnceFunc(func() { t.operations.leave(caller) })
	defer leave()
	op, errs := exec.CreateOperationContext(ctx, params)
	if cost, known := op.Stats.GetExtension(costOfOperation).(int); known {
		w.Header().Set(headerCost, strconv.Itoa(cost))
		w.Header().Set(headerCostLimit, strconv.Itoa(t.costLimit))
	}
	if len(errs) > 0 {
		refused := exec.DispatchError(graphql.WithOperationContext(ctx, op), errs[:min(len(errs), shownErrors)])
		switch media {
		case mediaEvents:
			t.streamOne(w, refused)
		case mediaGraphQL:
			status := http.StatusBadRequest
			if codex.CodeOf(errs[0]) == codex.CodeForbidden {
				status = http.StatusForbidden
			}
			answer(w, status, media, refused)
		default:
			answer(w, http.StatusOK, media, refused)
		}
		return
	}
	kind := op.Operation.Operation
	switch {
	case r.Method == http.MethodGet && kind == ast.Mutation:
		w.Header().Set("Allow", "POST")
		t.reject(w, r, http.StatusMethodNotAllowed, "GET takes no mutations: send this by POST")
		return
	case kind == ast.Subscription && media != mediaEvents:
		t.reject(w, r, http.StatusNotAcceptable, "a subscription is answered by a stream: ask with Accept: "+mediaEvents)
		return
	case kind == ast.Subscription:
		leave()
		t.streamAll(w, r, exec, op)
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.time, errTime)
	defer cancel()
	if media == mediaEvents {
		t.streamResult(ctx, w, exec, op)
		return
	}
	response := execute(ctx, exec, op)
	if response == nil {
		t.errors.refuseWith(w, r, http.StatusServiceUnavailable, errTooLong())
		return
	}
	answer(w, http.StatusOK, media, response)
}

// execute runs a query or mutation. Nil: its time was up, or nobody waits for it any more, so that
// what could not be read is no answer.
func execute(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext) *graphql.Response {
	responses, ctx := exec.DispatchOperation(ctx, op)
	response := responses(ctx)
	if response == nil || ctx.Err() != nil && len(response.Errors) > 0 {
		return nil
	}
	return response
}

// refuseBusy answers a caller who has as many operations under way as one may.
func (t transport) refuseBusy(w http.ResponseWriter, r *http.Request, media string, caller codex.Caller) {
	busy := codex.Errorf(codex.CodeTooManyRequests,
		"%d operations of %s are under way, which are all that one may have at once (max_concurrent): ask again when one has ended",
		t.operations.perCaller, caller.Name)
	if media == mediaEvents {
		shown := t.errors.present(r.Context(), busy)
		t.streamOne(w, &graphql.Response{Errors: gqlerror.List{shown}})
		return
	}
	w.Header().Set("Retry-After", "1")
	t.errors.refuseWith(w, r, http.StatusTooManyRequests, busy)
}
