package syncers

import "github.com/hivematrix/codex"

// Settings are the parts of the configuration that say how records are understood.
type Settings struct {
	AccountVariable   string // [datto] account_variable: the site variable with the account number
	BackupUDF         int    // [datto] backup_udf
	AdministratorsUDF int    // [datto] administrators_udf
	DeviceTypeUDF     int    // [datto] device_type_udf
	ClosedStatuses    []int  // [freshservice] closed_statuses: treated like 5
	OpenStatuses      []int  // [freshservice] open_statuses: treated like 2, 3 and 4
	ConversationsDays int    // [freshservice] conversations_days: older tickets keep theirs unread
	MaxRemovalPercent int    // [sync] max_removal_percent

	FreshserviceIdentity string // the account that the data comes from: Freshservice's domain
	NewUpstream          bool   // take data from another account than before
}

func (s Settings) udf() udfNumbers {
	return udfNumbers{backup: s.BackupUDF, administrators: s.AdministratorsUDF, deviceType: s.DeviceTypeUDF}
}

func (s Settings) guard(run *Run) Guard {
	return Guard{MaxPercent: s.MaxRemovalPercent, Off: run.Request.Force, approved: run.approved}
}

// Names under which the database remembers where its data comes from.
const (
	upstreamFreshservice = string(codex.FeedFreshservice)
	upstreamDatto        = string(codex.FeedDatto)
)
