package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/syncers"
)

func (r mutationResolver) UpdateCompany(ctx context.Context, accountNumber string, input model.UpdateCompanyInput) (*model.UpdateCompanyPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	company, changed, err := r.local.UpdateCompany(ctx, codex.AccountNumber(accountNumber), syncers.CompanyEdit{
		PhoneSystem: edit(input.PhoneSystem), EmailSystem: edit(input.EmailSystem),
		SupportLevel: edit(input.SupportLevel), ComplianceLevel: edit(input.ComplianceLevel),
	}, caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.UpdateCompanyPayload{Company: company, Changed: changed}, nil
}

func (r mutationResolver) UpdateContact(ctx context.Context, id string, input model.UpdateContactInput) (*model.UpdateContactPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	key, err := intID("id", id)
	if err != nil {
		return nil, err
	}
	contact, changed, err := r.local.UpdateContact(ctx, key, syncers.ContactEdit{EmploymentType: edit(input.EmploymentType)}, caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.UpdateContactPayload{Contact: contact, Changed: changed}, nil
}

func (r mutationResolver) LinkContact(ctx context.Context, contactID, accountNumber string) (*model.LinkContactPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	contact, err := intID("contactId", contactID)
	if err != nil {
		return nil, err
	}
	link, err := r.local.LinkContact(ctx, contact, codex.AccountNumber(accountNumber), caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.LinkContactPayload{Contact: link.Contact, Company: link.Company, Changed: link.Changed}, nil
}

func (r mutationResolver) UnlinkContact(ctx context.Context, contactID, accountNumber string) (*model.UnlinkContactPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	contact, err := intID("contactId", contactID)
	if err != nil {
		return nil, err
	}
	link, err := r.local.UnlinkContact(ctx, contact, codex.AccountNumber(accountNumber), caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.UnlinkContactPayload{Contact: link.Contact, Company: link.Company, Changed: link.Changed}, nil
}

func (r mutationResolver) LinkAsset(ctx context.Context, assetID, contactID string) (*model.LinkAssetPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	asset, contact, err := assetAndContact(assetID, contactID)
	if err != nil {
		return nil, err
	}
	link, err := r.local.LinkAsset(ctx, asset, contact, caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.LinkAssetPayload{Asset: link.Asset, Contact: link.Contact, Changed: link.Changed}, nil
}

func (r mutationResolver) UnlinkAsset(ctx context.Context, assetID, contactID string) (*model.UnlinkAssetPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	asset, contact, err := assetAndContact(assetID, contactID)
	if err != nil {
		return nil, err
	}
	link, err := r.local.UnlinkAsset(ctx, asset, contact, caller.Name)
	if err != nil {
		return nil, err
	}
	return &model.UnlinkAssetPayload{Asset: link.Asset, Contact: link.Contact, Changed: link.Changed}, nil
}

// assetAndContact are the ids that the arguments assetId and contactId give.
func assetAndContact(assetID, contactID string) (asset, contact int, err error) {
	if asset, err = intID("assetId", assetID); err != nil {
		return 0, 0, err
	}
	contact, err = intID("contactId", contactID)
	return asset, contact, err
}

// edit tells a field that was left out from one that is null.
func edit(field graphql.Omittable[*string]) syncers.Edit {
	text, given := field.ValueOK()
	return syncers.Edit{Given: given, Text: text}
}
