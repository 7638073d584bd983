package wire

import (
	"errors"
	"strings"
	"time"
)

// ParseTime takes a date-time or a day as text and gives it in UTC. Date-times come with and without
// fraction and zone, with T and with a blank, and days alone; without zone they are UTC, as
// Freshservice documents.
func ParseTime(text string) (time.Time, error) {
	text = strings.TrimSuffix(text, " UTC")
	for _, form := range [...]string{
		time.RFC3339,
		"2006-01-02T15:04:05",
		"2006-01-02 15:04:05",
		"2006-01-02 15:04:05Z07:00",
		"2006-01-02 15:04:05 -0700",
		"2006-01-02T15:04:05-0700",
		"2006-01-02",
	} {
		if at, err := time.Parse(form, text); err == nil { // a fraction is taken by every form
			return at.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no date in a known form")
}
