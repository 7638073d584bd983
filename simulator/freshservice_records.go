package simulator

import (
	"encoding/json"
	"time"
)

// MilliTime is an instant that Freshservice writes with milliseconds (2025-01-15T10:30:00.000Z), as
// the documented sample of a department has it; other records have whole seconds.
type MilliTime struct{ time.Time }

// MarshalJSON writes the instant in UTC with exactly three decimals.
func (t MilliTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// UnmarshalJSON reads any RFC 3339 instant.
func (t *MilliTime) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &t.Time) }

// Department is Freshservice's customer. CustomFields holds account_number as a number, as text, as
// null, or not at all.
type Department struct {
	ID            int64          `json:"id"`
	Name          string         `json:"name"`
	Description   *string        `json:"description"`
	HeadUserID    *int64         `json:"head_user_id"`
	HeadName      *string        `json:"head_name"`
	PrimeUserID   *int64         `json:"prime_user_id"`
	PrimeUserName *string        `json:"prime_user_name"`
	Domains       []string       `json:"domains"`
	CustomFields  map[string]any `json:"custom_fields"`
	WorkspaceID   int64          `json:"workspace_id"`
	CreatedAt     MilliTime      `json:"created_at"`
	UpdatedAt     MilliTime      `json:"updated_at"`
}

// DepartmentField describes one field of the department form; its times have no zone.
type DepartmentField struct {
	ID             int64  `json:"id"`
	Name           string `json:"name"`
	Label          string `json:"label"`
	FieldType      string `json:"field_type"`
	Position       int    `json:"position"`
	Mandatory      bool   `json:"mandatory"`
	IsDefaultField bool   `json:"is_default_field"`
	CreatedAt      string `json:"created_at"`
	UpdatedAt      string `json:"updated_at"`
}

// Requester is a person at a customer. PrimaryEmail may be null where a phone exists.
type Requester struct {
	ID                 int64          `json:"id"`
	IsAgent            bool           `json:"is_agent"`
	FirstName          string         `json:"first_name"`
	LastName           *string        `json:"last_name"`
	JobTitle           *string        `json:"job_title"`
	PrimaryEmail       *string        `json:"primary_email"`
	SecondaryEmails    []string       `json:"secondary_emails"`
	WorkPhoneNumber    *string        `json:"work_phone_number"`
	MobilePhoneNumber  *string        `json:"mobile_phone_number"`
	DepartmentIDs      []int64        `json:"department_ids"`
	DepartmentNames    []string       `json:"department_names"`
	ReportingManagerID *int64         `json:"reporting_manager_id"`
	Address            *string        `json:"address"`
	TimeZone           string         `json:"time_zone"`
	Language           string         `json:"language"`
	LocationID         *int64         `json:"location_id"`
	LocationName       *string        `json:"location_name"`
	CustomFields       map[string]any `json:"custom_fields"`
	Active             bool           `json:"active"`
	HasLoggedIn        bool           `json:"has_logged_in"`
	VIPUser            bool           `json:"vip_user"`
	ExternalID         *string        `json:"external_id"`
	CreatedAt          time.Time      `json:"created_at"`
	UpdatedAt          time.Time      `json:"updated_at"`
}

// Agent is one of the MSP's own people, or a requester that was turned into one. Its address is
// `email`, not primary_email.
type Agent struct {
	ID                 int64          `json:"id"`
	FirstName          string         `json:"first_name"`
	LastName           *string        `json:"last_name"`
	Occasional         bool           `json:"occasional"`
	JobTitle           *string        `json:"job_title"`
	Email              string         `json:"email"`
	WorkPhoneNumber    *string        `json:"work_phone_number"`
	MobilePhoneNumber  *string        `json:"mobile_phone_number"`
	DepartmentIDs      []int64        `json:"department_ids"`
	ReportingManagerID *int64         `json:"reporting_manager_id"`
	Address            *string        `json:"address"`
	TimeZone           string         `json:"time_zone"`
	TimeFormat         string         `json:"time_format"`
	Language           string         `json:"language"`
	LocationID         *int64         `json:"location_id"`
	CustomFields       map[string]any `json:"custom_fields"`
	HasLoggedIn        bool           `json:"has_logged_in"`
	Active             bool           `json:"active"`
	CreatedAt          time.Time      `json:"created_at"`
	UpdatedAt          time.Time      `json:"updated_at"`
}

// The ticket statuses and priorities that every Freshservice account has, and the custom status of
// the simulated one that may follow Closed.
const (
	StatusOpen            = 2
	StatusPending         = 3
	StatusResolved        = 4
	StatusClosed          = 5
	StatusBillingComplete = 16
)

// Ticket is the plain record of a list; it has no names of status or priority, no closing time and
// nothing of the requester but the id. The fields behind `json:"-"` are served only as embeds or by
// the ticket's sub-lists.
type Ticket struct {
	ID              int64          `json:"id"`
	WorkspaceID     int64          `json:"workspace_id"`
	Subject         *string        `json:"subject"`
	Description     string         `json:"description"`
	DescriptionText string         `json:"description_text"`
	Type            string         `json:"type"`
	Status          int            `json:"status"`
	Priority        int            `json:"priority"`
	Urgency         int            `json:"urgency"`
	Impact          int            `json:"impact"`
	Source          int            `json:"source"`
	Category        *string        `json:"category"`
	SubCategory     *string        `json:"sub_category"`
	ItemCategory    *string        `json:"item_category"`
	RequesterID     int64          `json:"requester_id"`
	RequestedForID  int64          `json:"requested_for_id"`
	ResponderID     *int64         `json:"responder_id"`
	GroupID         *int64         `json:"group_id"`
	DepartmentID    *int64         `json:"department_id"`
	EmailConfigID   *int64         `json:"email_config_id"`
	ToEmails        []string       `json:"to_emails"`
	CCEmails        []string       `json:"cc_emails"`
	FwdEmails       []string       `json:"fwd_emails"`
	ReplyCCEmails   []string       `json:"reply_cc_emails"`
	DueBy           time.Time      `json:"due_by"`
	FRDueBy         time.Time      `json:"fr_due_by"`
	IsEscalated     bool           `json:"is_escalated"`
	FREscalated     bool           `json:"fr_escalated"`
	Spam            bool           `json:"spam"`
	Deleted         bool           `json:"deleted"`
	CustomFields    map[string]any `json:"custom_fields"`
	CreatedAt       time.Time      `json:"created_at"`
	UpdatedAt       time.Time      `json:"updated_at"`

	Stats         TicketStats    `json:"-"`
	Tags          []string       `json:"-"`
	TimeEntries   []TimeEntry    `json:"-"`
	Conversations []Conversation `json:"-"`
}

// TicketStats is the embed `stats`. TicketID is Freshservice's internal id, not the display number.
type TicketStats struct {
	TicketID             int64      `json:"ticket_id"`
	PendingSince         *time.Time `json:"pending_since"`
	AssignedAt           *time.Time `json:"assigned_at"`
	FirstRespondedAt     *time.Time `json:"first_responded_at"`
	AgentRespondedAt     *time.Time `json:"agent_responded_at"`
	ResolvedAt           *time.Time `json:"resolved_at"`
	ClosedAt             *time.Time `json:"closed_at"`
	StatusUpdatedAt      *time.Time `json:"status_updated_at"`
	FirstRespTimeInSecs  *int64     `json:"first_resp_time_in_secs"`
	ResolutionTimeInSecs *int64     `json:"resolution_time_in_secs"`
	InboundCount         int        `json:"inbound_count"`
	OutboundCount        int        `json:"outbound_count"`
}

// TicketPerson is the embed `requester` or `requested_for`.
type TicketPerson struct {
	ID     int64   `json:"id"`
	Name   string  `json:"name"`
	Email  *string `json:"email"`
	Mobile *string `json:"mobile"`
	Phone  *string `json:"phone"`
}

// TimeEntry is time spent on a ticket. TimeSpent is "hh:mm", hours may pass 24, "hh:mm:ss", "" or
// null; it is not final while TimerRunning.
type TimeEntry struct {
	ID           int64          `json:"id"`
	AgentID      int64          `json:"agent_id"`
	TimeSpent    *string        `json:"time_spent"`
	Billable     bool           `json:"billable"`
	TimerRunning bool           `json:"timer_running"`
	StartTime    time.Time      `json:"start_time"`
	ExecutedAt   time.Time      `json:"executed_at"`
	TaskID       *int64         `json:"task_id"`
	WorkspaceID  int64          `json:"workspace_id"`
	Note         string         `json:"note"`
	CustomFields map[string]any `json:"custom_fields"`
	CreatedAt    time.Time      `json:"created_at"`
	UpdatedAt    time.Time      `json:"updated_at"`
}

// Conversation is a reply or, where Private, a note.
type Conversation struct {
	ID           int64     `json:"id"`
	TicketID     int64     `json:"ticket_id"`
	UserID       int64     `json:"user_id"`
	Body         string    `json:"body"`
	BodyText     string    `json:"body_text"`
	Incoming     bool      `json:"incoming"`
	Private      bool      `json:"private"`
	Source       int       `json:"source"`
	SupportEmail *string   `json:"support_email"`
	FromEmail    *string   `json:"from_email"`
	ToEmails     []string  `json:"to_emails"`
	CCEmails     []string  `json:"cc_emails"`
	BCCEmails    []string  `json:"bcc_emails"`
	Attachments  []any     `json:"attachments"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// Workspace is one of the account's workspaces; without workspace_id an upstream call sees the
// primary one only.
type Workspace struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description *string   `json:"description"`
	Primary     bool      `json:"primary"`
	Restricted  bool      `json:"restricted"`
	State       string    `json:"state"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Choice is one value of a choice field of the ticket form.
type Choice struct {
	ID    int    `json:"id"`
	Value string `json:"value"`
}

// TicketField is one field of the ticket form; the field `status` tells the custom statuses.
type TicketField struct {
	ID                 int64     `json:"id"`
	WorkspaceID        int64     `json:"workspace_id"`
	Name               string    `json:"name"`
	Label              string    `json:"label"`
	Description        *string   `json:"description"`
	FieldType          string    `json:"field_type"`
	Required           bool      `json:"required"`
	RequiredForClosure bool      `json:"required_for_closure"`
	DefaultField       bool      `json:"default_field"`
	Choices            []Choice  `json:"choices"`
	CreatedAt          time.Time `json:"created_at"`
	UpdatedAt          time.Time `json:"updated_at"`
}
