package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

// subscriptions does for a subscription what gqlgen does for queries and mutations alone: it asks
// whether the caller may have its root field, and gives the fields below it a place in the answer.
type subscriptions struct {
	reader *query.Reader
	errors presenter
}

// begin implements graphql.OperationMiddleware.
func (s subscriptions) begin(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	root, err := subscribed(ctx)
	if root == nil && err == nil {
		return next(ctx)
	}
	if err == nil {
		ctx := graphql.WithFieldContext(ctx, placeOfRoot(root))
		if err = allowed(ctx, root.Definition); err == nil {
			err = allowedArguments(ctx, root.Definition, root.ArgumentMap(graphql.GetOperationContext(ctx).Variables))
		}
		if err != nil {
			err = graphql.ErrorOnPath(ctx, graphql.AddFieldLocationToError(ctx, err))
		}
	}
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.errors.present(ctx, err)}})
	}
	return next(ctx)
}

// event implements graphql.ResponseMiddleware: each event is read anew, and has nothing of what was
// read for another.
func (s subscriptions) event(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	root, err := subscribed(ctx)
	if root == nil || err != nil {
		return next(ctx)
	}
	ctx = loaders.With(ctx, loaders.New(s.reader))
	ctx = withLogged(ctx)
	response := next(graphql.WithFieldContext(ctx, placeOfRoot(root)))
	// gqlgen lets a null that may not be stand below the root, where it has to go up.
	if response != nil && len(response.Errors) > 0 && root.Definition.Type.NonNull && string(response.Data) == `{"`+root.Alias+`":null}` {
		response.Data = []byte("null")
	}
	return response
}

// subscribed is the root field of a subscription, nil of another operation. There is one: @skip and
// @include, which could leave another out, and fields of the schema itself are not for it.
func subscribed(ctx context.Context) (*graphql.CollectedField, error) {
	op := graphql.GetOperationContext(ctx)
	if op.Operation == nil || op.Operation.Operation != ast.Subscription { // nil: it could not be read
		return nil, nil
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 || isIntrospection(fields[0].Name) {
		return nil, codex.Errorf(codex.CodeBadInput, "a subscription asks for one field of Subscription")
	}
	return &fields[0], nil
}

func placeOfRoot(root *graphql.CollectedField) *graphql.FieldContext {
	return &graphql.FieldContext{Object: "Subscription", Field: *root}
}
