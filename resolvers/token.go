package resolvers

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
)

func (r queryResolver) Tokens(ctx context.Context) ([]*ent.Token, error) {
	return r.tokens.List(ctx)
}

func (r mutationResolver) CreateToken(ctx context.Context, input model.CreateTokenInput) (*model.CreateTokenPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	secret, token, err := r.tokens.Create(ctx, auth.NewToken{
		Name: input.Name, Role: input.Role, ExpiresAt: input.ExpiresAt, CreatedBy: caller.Name,
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateTokenPayload{Token: token, Secret: secret.Reveal()}, nil
}

func (r mutationResolver) RevokeToken(ctx context.Context, name string) (*model.RevokeTokenPayload, error) {
	token, err := r.tokens.Revoke(ctx, name)
	if err != nil {
		return nil, err
	}
	return &model.RevokeTokenPayload{Token: token}, nil
}
