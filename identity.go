package codex

// AccountNumber identifies a company: Freshservice's custom field account_number, as text.
type AccountNumber string

// DeviceUID identifies a machine at Datto RMM. A re-imaged machine has a new one.
type DeviceUID string

// RunID identifies a sync run: a UUID, which REST calls job_id.
type RunID string
