package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
)

// assetJSON is a machine (docs/compatibility.md, "Asset"). It has no billing_type, and must not:
// Ledger C ignores the billing override of an asset that has the key.
type assetJSON struct {
	ID               int              `json:"id"`
	Hostname         string           `json:"hostname"`
	HardwareType     *string          `json:"hardware_type"`
	OperatingSystem  *string          `json:"operating_system"`
	DeviceType       *string          `json:"device_type"`
	LastLoggedInUser *string          `json:"last_logged_in_user"`
	AntivirusProduct *string          `json:"antivirus_product"`
	ExtIPAddress     *string          `json:"ext_ip_address"`
	IntIPAddress     *string          `json:"int_ip_address"`
	Domain           *string          `json:"domain"`
	Online           *bool            `json:"online"`
	LastSeen         *string          `json:"last_seen"`
	BackupUsageTB    *string          `json:"backup_usage_tb"`
	BackupDataBytes  int64            `json:"backup_data_bytes"`
	DattoUID         *codex.DeviceUID `json:"datto_uid"` // without it Ledger A and B ignore the override
}

// assetColumns are the columns that assetForm reads.
func assetColumns() []string {
	return []string{
		asset.FieldID, asset.FieldHostname, asset.FieldHardwareType, asset.FieldOperatingSystem,
		asset.FieldDeviceType, asset.FieldLastLoggedInUser, asset.FieldAntivirusProduct,
		asset.FieldExtIPAddress, asset.FieldIntIPAddress, asset.FieldDomain, asset.FieldOnline,
		asset.FieldLastSeen, asset.FieldBackupBytes, asset.FieldDattoUID,
	}
}

func assetForm(a *ent.Asset) assetJSON {
	form := assetJSON{
		ID:               a.ID,
		Hostname:         a.Hostname,
		HardwareType:     a.HardwareType,
		OperatingSystem:  a.OperatingSystem,
		DeviceType:       a.DeviceType,
		LastLoggedInUser: a.LastLoggedInUser,
		AntivirusProduct: a.AntivirusProduct,
		ExtIPAddress:     a.ExtIPAddress,
		IntIPAddress:     a.IntIPAddress,
		Domain:           a.Domain,
		Online:           a.Online,
		LastSeen:         lastSeen(a.LastSeen),
		DattoUID:         a.DattoUID,
	}
	if a.BackupBytes != nil {
		bytes := codex.Bytes(*a.BackupBytes)
		tb := bytes.LegacyTB()
		form.BackupUsageTB = &tb
		form.BackupDataBytes = bytes.LegacyBytes()
	}
	return form
}

// lastSeen has the form in which the old service kept it, without zone. Ours is UTC.
func lastSeen(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := t.UTC().Format(time.DateTime)
	return &text
}

func (s *service) assets(w http.ResponseWriter, r *http.Request) error {
	return children[*ent.Asset, assetJSON]{
		about: subject{Kind: "assets", Entities: []string{ofAssets}},
		read: func(ctx context.Context, v moment, accounts []codex.AccountNumber) (map[codex.AccountNumber][]*ent.Asset, error) {
			return v.AssetsByCompany(ctx, accounts, assetColumns()...)
		},
		form: func(_ moment, a *ent.Asset) assetJSON { return assetForm(a) },
	}.serve(s, w, r)
}
