package codex

import (
	"encoding/json"
	"fmt"
)

// AccountNumber identifies a company: Freshservice's custom field account_number, as text.
type AccountNumber string

// DeviceUID identifies a machine at Datto RMM. A re-imaged machine has a new one.
type DeviceUID string

// RunID identifies a sync run: a UUID, which REST calls job_id.
type RunID string

// ParseAccountNumbers reads a list of companies as columns keep it: a JSON array of texts. nil is null.
func ParseAccountNumbers(text *string) ([]AccountNumber, error) {
	if text == nil {
		return nil, nil
	}
	var numbers []AccountNumber
	if err := json.Unmarshal([]byte(*text), &numbers); err != nil {
		return nil, fmt.Errorf("reading a list of account numbers: %w", err)
	}
	return numbers, nil
}
