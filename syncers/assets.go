package syncers

// Assets come from Datto RMM's devices (docs/compatibility.md, "Sync rules" and "Backup size").

import (
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/datto"
)

// AssetRecord is a row of assets.
type AssetRecord struct {
	ID              int
	Account         codex.AccountNumber // the company of the device's site
	UID             sql.Null[string]    // uid; rows of an import have none until they are matched
	Hostname        string              // hostname
	SiteUID         sql.Null[string]    // siteUid
	SiteName        sql.Null[string]    // siteName
	HardwareType    sql.Null[string]    // deviceType.category
	OperatingSystem sql.Null[string]    // operatingSystem
	DeviceType      sql.Null[string]    // udf7
	Domain          sql.Null[string]    // domain
	Suspended       bool                // suspended
	BackupBytes     sql.Null[int64]     // udf6
	DattoID         sql.Null[int64]     // id
	DeviceClass     sql.Null[string]    // deviceClass
	Description     sql.Null[string]    // description
	LastUser        sql.Null[string]    // lastLoggedInUser
	Antivirus       sql.Null[string]    // antivirus.antivirusProduct
	ExtIP           sql.Null[string]    // extIpAddress
	IntIP           sql.Null[string]    // intIpAddress
	Online          sql.Null[bool]      // online
	LastSeen        sql.Null[time.Time] // lastSeen
	LastReboot      sql.Null[time.Time] // lastReboot
	LastAudit       sql.Null[time.Time] // lastAuditDate
	PatchStatus     sql.Null[string]    // patchManagement.patchStatus
	Administrators  sql.Null[string]    // udf4
	PortalURL       sql.Null[string]    // portalUrl
	WebRemoteURL    sql.Null[string]    // webRemoteUrl
	RemovedAt       sql.Null[time.Time]

	// Not columns: whether the device came with these UDFs at all. A missing one is not told, which
	// is not the same as cleared: what is stored stays.
	backupTold, administratorsTold, deviceTypeTold bool
}

func assets() *Entity[AssetRecord] {
	e := &Entity[AssetRecord]{
		Name: "assets", Label: func(r *AssetRecord) string { return r.Hostname },
		Columns: []Column[AssetRecord]{
			column("id", primary, func(r *AssetRecord) *int { return &r.ID }),
			column("company_account_number", compared|kept, func(r *AssetRecord) *codex.AccountNumber { return &r.Account }),
			column("datto_uid", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.UID }),
			column("hostname", compared|kept, func(r *AssetRecord) *string { return &r.Hostname }),
			column("datto_site_uid", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.SiteUID }),
			column("datto_site_name", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.SiteName }),
			column("hardware_type", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.HardwareType }),
			column("operating_system", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.OperatingSystem }),
			column("device_type", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.DeviceType }),
			column("domain", compared|kept, func(r *AssetRecord) *sql.Null[string] { return &r.Domain }),
			column("suspended", compared|kept, func(r *AssetRecord) *bool { return &r.Suspended }),
			column("backup_bytes", compared, func(r *AssetRecord) *sql.Null[int64] { return &r.BackupBytes }),
			column("datto_id", compared, func(r *AssetRecord) *sql.Null[int64] { return &r.DattoID }),
			column("device_class", compared, func(r *AssetRecord) *sql.Null[string] { return &r.DeviceClass }),
			column("description", compared, func(r *AssetRecord) *sql.Null[string] { return &r.Description }),
			column("last_logged_in_user", compared, func(r *AssetRecord) *sql.Null[string] { return &r.LastUser }),
			column("antivirus_product", compared, func(r *AssetRecord) *sql.Null[string] { return &r.Antivirus }),
			column("ext_ip_address", compared, func(r *AssetRecord) *sql.Null[string] { return &r.ExtIP }),
			column("int_ip_address", compared, func(r *AssetRecord) *sql.Null[string] { return &r.IntIP }),
			column("online", compared, func(r *AssetRecord) *sql.Null[bool] { return &r.Online }),
			column("last_seen", compared, func(r *AssetRecord) *sql.Null[time.Time] { return &r.LastSeen }),
			column("last_reboot", compared, func(r *AssetRecord) *sql.Null[time.Time] { return &r.LastReboot }),
			column("last_audit_date", compared, func(r *AssetRecord) *sql.Null[time.Time] { return &r.LastAudit }),
			column("patch_status", compared, func(r *AssetRecord) *sql.Null[string] { return &r.PatchStatus }),
			column("enabled_administrators", compared, func(r *AssetRecord) *sql.Null[string] { return &r.Administrators }),
			column("portal_url", compared, func(r *AssetRecord) *sql.Null[string] { return &r.PortalURL }),
			column("web_remote_url", compared, func(r *AssetRecord) *sql.Null[string] { return &r.WebRemoteURL }),
			column("removed_at", compared, func(r *AssetRecord) *sql.Null[time.Time] { return &r.RemovedAt }),
		},
		Keys: []Key[AssetRecord]{
			{Of: func(r *AssetRecord) (string, bool) { return r.UID.V, r.UID.Valid }},
			{ // a machine that was re-imaged: a new UID, and the old one is gone
				Of: func(r *AssetRecord) (string, bool) { return r.place(), r.SiteUID.Valid },
				Free: func(r *AssetRecord, s Scope[AssetRecord]) bool {
					return !r.UID.Valid || r.RemovedAt.Valid || s.gone(r)
				},
			},
			{ // a row of an import, which knows neither UID nor site
				Of:   func(r *AssetRecord) (string, bool) { return string(r.Account) + "\x00" + fold(r.Hostname), true },
				Free: func(r *AssetRecord, _ Scope[AssetRecord]) bool { return !r.UID.Valid && !r.SiteUID.Valid },
			},
		},
		ID:        func(r *AssetRecord) *int { return &r.ID },
		RemovedAt: func(r *AssetRecord) *sql.Null[time.Time] { return &r.RemovedAt },
		Merge: func(current, incoming AssetRecord) AssetRecord {
			if !incoming.backupTold {
				incoming.BackupBytes = current.BackupBytes
			}
			if !incoming.administratorsTold {
				incoming.Administrators = current.Administrators
			}
			if !incoming.deviceTypeTold {
				incoming.DeviceType = current.DeviceType
			}
			return incoming
		},
	}
	e.History = e.historyOf("assets_history", "asset_id")
	return e
}

// place is where a machine of this name stands: its company and site.
func (r *AssetRecord) place() string {
	return string(r.Account) + "\x00" + r.SiteUID.V + "\x00" + fold(r.Hostname)
}

// udfNumbers say in which of a device's user-defined fields Datto keeps what.
type udfNumbers struct{ backup, administrators, deviceType int }

// mapDevice is the asset of a device at a site of account's company.
func mapDevice(d datto.Device, s site, udf udfNumbers) (AssetRecord, []Issue) {
	var issues []Issue
	r := AssetRecord{
		Account: s.Account, UID: some(d.UID), Hostname: d.Hostname,
		SiteUID: some(s.UID), SiteName: filled(s.Name),
		HardwareType: told(d.Category), OperatingSystem: told(d.OperatingSystem), Domain: told(d.Domain),
		Suspended: d.Suspended, DattoID: sql.Null[int64]{V: d.ID, Valid: d.ID != 0}, DeviceClass: told(d.DeviceClass),
		Description: told(d.Description), LastUser: told(d.LastLoggedInUser), Antivirus: told(d.AntivirusProduct),
		ExtIP: told(d.ExtIPAddress), IntIP: told(d.IntIPAddress), Online: told(d.Online),
		LastSeen: told(d.LastSeen), LastReboot: told(d.LastReboot), LastAudit: told(d.LastAuditDate),
		PatchStatus: told(d.PatchStatus), PortalURL: httpsOnly(d.PortalURL), WebRemoteURL: httpsOnly(d.WebRemoteURL),
	}
	var text string
	if text, r.backupTold = d.UDF.Text(udf.backup); r.backupTold {
		var ok bool
		if r.BackupBytes, ok = backupBytes(text); !ok {
			issues = append(issues, deviceIssue(IssueBackupNoNumber, d, s.Account, // never the text: UDFs may hold keys
				"The backup size of %q (UDF %d) is no number: it is served and billed without backup.", d.Hostname, udf.backup))
		}
	}
	if text, r.administratorsTold = d.UDF.Text(udf.administrators); r.administratorsTold {
		r.Administrators = filled(text)
	}
	if text, r.deviceTypeTold = d.UDF.Text(udf.deviceType); r.deviceTypeTold {
		r.DeviceType = filled(text)
	}
	if d.UDF == nil {
		issues = append(issues, deviceIssue(IssueUDFNotTold, d, s.Account,
			"Datto sent %q without its user-defined fields: its backup size, administrators and type stay as they were.", d.Hostname))
	}
	return r, issues
}

// backupBytes reads a backup UDF: nothing where it is empty, false where it holds something that is
// no byte count. The old service took any decimal text, so we do.
func backupBytes(text string) (sql.Null[int64], bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return sql.Null[int64]{}, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return some(n), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f < math.MaxInt64) || strings.ContainsAny(text, "xXpP_") {
		return sql.Null[int64]{}, false
	}
	return some(int64(f)), true
}

// httpsOnly is a web link as Datto gives it; anything but https is not handed to a browser.
func httpsOnly(link *string) sql.Null[string] {
	if link == nil || !strings.HasPrefix(*link, "https://") {
		return sql.Null[string]{}
	}
	return some(*link)
}

func deviceIssue(kind IssueKind, d datto.Device, account codex.AccountNumber, format string, args ...any) Issue {
	return Issue{Kind: kind, ID: d.UID, Account: account, entity: "assets", Reason: fmt.Sprintf(format, args...)}
}

// AssetLinkRecord is a row of asset_contact_link.
type AssetLinkRecord struct {
	AssetID   int
	ContactID int
	Source    string
}

func assetLinks() *Entity[AssetLinkRecord] {
	return &Entity[AssetLinkRecord]{
		Name: "asset_links", Table: "asset_contact_link",
		Columns: []Column[AssetLinkRecord]{
			column("asset_id", primary, func(r *AssetLinkRecord) *int { return &r.AssetID }),
			column("contact_id", primary, func(r *AssetLinkRecord) *int { return &r.ContactID }),
			column("source", compared, func(r *AssetLinkRecord) *string { return &r.Source }),
		},
		Keys: []Key[AssetLinkRecord]{{Of: func(r *AssetLinkRecord) (string, bool) {
			return strconv.Itoa(r.AssetID) + "\x00" + strconv.Itoa(r.ContactID), true
		}}},
		Merge: keepManual[AssetLinkRecord](func(r *AssetLinkRecord) *string { return &r.Source }),
	}
}

// person is a contact as the last user of a machine may name them.
type person struct {
	id     int
	emails []string // folded, the primary one first
}

// namedBy is the one person whom a last logged-in user names: with an @ by primary or secondary
// e-mail address, else by what stands before the @ of the primary one. More than one, or none, is
// nobody.
func namedBy(lastUser string, people []person) (contactID int, ok bool) {
	name := fold(lastUser)
	if i := strings.LastIndexByte(name, '\\'); i >= 0 && !strings.Contains(name, "@") {
		name = name[i+1:]
	}
	if name == "" {
		return 0, false
	}
	found := 0
	for _, p := range people {
		if p.isNamed(name) {
			contactID = p.id
			found++
		}
	}
	return contactID, found == 1
}

func (p person) isNamed(name string) bool {
	if !strings.Contains(name, "@") {
		before, _, _ := strings.Cut(p.emails[0], "@")
		return before == name
	}
	for _, email := range p.emails {
		if email == name {
			return true
		}
	}
	return false
}
