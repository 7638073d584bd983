package querytest

import (
	"context"
	"fmt"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// Many fills db with n companies, C0001 and so on, each with perCompany assets of one contact each.
func Many(t testing.TB, db *store.DB, n, perCompany int) {
	t.Helper()
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		w := writer{t: t, ctx: ctx, client: tx.Ent()}
		var companies []*ent.CompanyCreate
		var assets []*ent.AssetCreate
		var contacts []*ent.ContactCreate
		var links []*ent.AssetContactLinkCreate
		for c := range n {
			account := codex.AccountNumber(fmt.Sprintf("C%04d", c+1))
			companies = append(companies, w.client.Company.Create().SetID(account).SetName("Company "+string(account)))
			for i := range perCompany {
				id := c*perCompany + i + 1
				assets = append(assets, w.client.Asset.Create().SetID(id).SetCompanyAccountNumber(account).
					SetHostname(fmt.Sprintf("PC-%d", id)))
				contacts = append(contacts, w.client.Contact.Create().SetID(id).SetName("x").
					SetEmail(fmt.Sprintf("p%d@example.com", id)))
				links = append(links, w.client.AssetContactLink.Create().SetAssetID(id).SetContactID(id))
			}
		}
		must[[]*ent.Company](w)(w.client.Company.CreateBulk(companies...).Save(ctx))
		must[[]*ent.Asset](w)(w.client.Asset.CreateBulk(assets...).Save(ctx))
		must[[]*ent.Contact](w)(w.client.Contact.CreateBulk(contacts...).Save(ctx))
		return w.client.AssetContactLink.CreateBulk(links...).Exec(ctx)
	}); err != nil {
		t.Fatal(err)
	}
}
