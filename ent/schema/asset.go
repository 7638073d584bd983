package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/hivematrix/codex"
)

// Asset is a machine of a company: a Datto RMM device at one of the company's sites.
type Asset struct{ ent.Schema }

func assetKept() []ent.Field {
	return []ent.Field{
		accountNumber(),
		field.String("datto_uid").GoType(codex.DeviceUID("")).Optional().Nillable().Comment("device.uid; what it is recognised by"),
		field.Text("hostname").Comment("device.hostname, as written"),
		text("datto_site_uid", "device.siteUid"),
		text("datto_site_name", "the site's name"),
		text("hardware_type", "device.deviceType.category"),
		text("operating_system", "device.operatingSystem"),
		text("device_type", "UDF 7, by [datto] device_type_udf"),
		text("domain", "device.domain"),
		field.Bool("suspended").Default(false).Comment("device.suspended"),
	}
}

// Fields of the table assets.
func (Asset) Fields() []ent.Field {
	return append(append([]ent.Field{givenID()}, assetKept()...),
		field.Int64("backup_bytes").Optional().Nillable().Comment("UDF 6, by [datto] backup_udf: bytes in backup; null where it is no number. Its past is backup_readings"),
		field.Int64("datto_id").Optional().Nillable().Comment("device.id, for web links"),
		text("device_class", "device.deviceClass"),
		text("description", "device.description"),
		text("last_logged_in_user", "device.lastLoggedInUser"),
		text("antivirus_product", "device.antivirus.antivirusProduct"),
		text("ext_ip_address", "device.extIpAddress"),
		text("int_ip_address", "device.intIpAddress"),
		field.Bool("online").Optional().Nillable().Comment("device.online"),
		instant("last_seen", "device.lastSeen"),
		instant("last_reboot", "device.lastReboot"),
		instant("last_audit_date", "device.lastAuditDate"),
		text("patch_status", "device.patchManagement.patchStatus"),
		text("enabled_administrators", "UDF 4, by [datto] administrators_udf"),
		text("portal_url", "device.portalUrl"),
		text("web_remote_url", "device.webRemoteUrl"),
		removedAt(),
	)
}

// Edges of an asset.
func (Asset) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("company", Company.Type).Ref("assets").Unique().Required().Field("company_account_number"),
		edge.To("contacts", Contact.Type).Through("contact_links", AssetContactLink.Type),
		edge.To("backup_readings", BackupReading.Type),
	}
}

// Indexes of the table assets.
func (Asset) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("datto_uid").Unique(),
		index.Fields("company_account_number"),
	}
}

// Annotations name the table.
func (Asset) Annotations() []schema.Annotation { return table("assets") }

// AssetVersion is an asset as the hub saw it for a while.
type AssetVersion struct{ ent.Schema }

// Fields of the table assets_history.
func (AssetVersion) Fields() []ent.Field {
	return versionOf(field.Int("asset_id"), assetKept())
}

// Indexes of the table assets_history.
func (AssetVersion) Indexes() []ent.Index {
	return append(versionIndexes("asset_id"), index.Fields("company_account_number", "seen_from"))
}

// Annotations name the table.
func (AssetVersion) Annotations() []schema.Annotation { return table("assets_history") }

// AssetContactLink says that a contact uses an asset.
type AssetContactLink struct{ ent.Schema }

// Fields of the table asset_contact_link. Links that follow the last user are volatile: they have
// no past.
func (AssetContactLink) Fields() []ent.Field {
	return []ent.Field{field.Int("asset_id"), field.Int("contact_id"), linkSource()}
}

// Edges of an asset's link.
func (AssetContactLink) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Unique().Required().Field("asset_id"),
		edge.To("contact", Contact.Type).Unique().Required().Field("contact_id"),
	}
}

// Indexes of the table asset_contact_link: its key finds the contacts of an asset, this the assets
// of a contact.
func (AssetContactLink) Indexes() []ent.Index {
	return []ent.Index{index.Fields("contact_id", "asset_id")}
}

// Annotations name the table and its composite key.
func (AssetContactLink) Annotations() []schema.Annotation {
	return append(table("asset_contact_link"), field.ID("asset_id", "contact_id"))
}

// BackupReading is the size of an asset's backup on a day on which it differed from the reading
// before.
type BackupReading struct{ ent.Schema }

// Fields of the table backup_readings.
func (BackupReading) Fields() []ent.Field {
	return []ent.Field{
		field.Int("asset_id"),
		field.Int("day").Comment("days since 1970-01-01, UTC"),
		field.Int64("bytes").Optional().Nillable().Comment("null: it stopped telling a number"),
	}
}

// Edges of a backup reading.
func (BackupReading) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("asset", Asset.Type).Ref("backup_readings").Unique().Required().Field("asset_id"),
	}
}

// Indexes of the table backup_readings.
func (BackupReading) Indexes() []ent.Index {
	return []ent.Index{index.Fields("asset_id", "day").Unique()}
}

// Annotations name the table.
func (BackupReading) Annotations() []schema.Annotation { return table("backup_readings") }
