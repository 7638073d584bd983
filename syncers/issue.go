package syncers

import "github.com/hivematrix/codex"

// Issue is something of an upstream that could not be placed, or that a person should look at.
type Issue struct {
	Kind    IssueKind
	ID      string // of what it is about, at its upstream
	Reason  string // what is wrong and what to do, for people
	Account codex.AccountNumber
	entity  string // under which entity a run counts it
}

// IssueKind is the stable word for what is wrong.
type IssueKind string

// The kinds of issues, by feed.
const (
	// freshservice
	IssueNoAccountNumber        IssueKind = "no_account_number"        // a department without account number: no company
	IssueAccountNumberChanged   IssueKind = "account_number_changed"   // a company keeps its number until a person renames it
	IssueDuplicateAccountNumber IssueKind = "duplicate_account_number" // a second department with the number of another
	IssueCompanyLeaving         IssueKind = "company_leaving"          // its department vanished or lost its account number
	IssueContactWithoutEmail    IssueKind = "contact_without_email"    // a requester without primary e-mail address
	IssueBadRecord              IssueKind = "bad_record"               // a record that could not be decoded (every feed)

	// datto
	IssueSiteWithoutAccount    IssueKind = "site_without_account"    // a site without value in its account variable
	IssueSiteUnread            IssueKind = "site_unread"             // a site that could not be read: its machines stay as they are
	IssueDeviceWithoutCompany  IssueKind = "device_without_company"  // its site's account number is no company's
	IssueDeviceWithoutHostname IssueKind = "device_without_hostname" // cannot be shown or billed
	IssueBackupNoNumber        IssueKind = "backup_no_number"        // the backup UDF holds something else
	IssueUDFNotTold            IssueKind = "udf_not_told"            // a device came without its UDFs: what is stored stays
	IssueReimaged              IssueKind = "reimaged"                // a machine came back under a new UID and keeps its id
	IssueProbableDuplicate     IssueKind = "probable_duplicate"      // two listed machines of one name at one site

	// tickets
	IssueTicketWithoutCompany IssueKind = "ticket_without_company" // no department, or one that is no company
	IssueTicketUnread         IssueKind = "ticket_unread"          // its time entries could not be read: tried again
	IssueUnknownStatus        IssueKind = "unknown_status"         // a status that is neither closed nor open by configuration
	IssueTicketsNotListed     IssueKind = "tickets_not_listed"     // the key may not list deleted or spam tickets
)
