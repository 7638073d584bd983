package codex

import "context"

type requestIDKey struct{}

// WithRequestID is ctx with the id of the request that it belongs to, which answers and logs name.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDFrom is the id of the request that ctx belongs to; empty where there is none.
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
