package wire

import (
	"fmt"
	"strings"
	"time"
)

// timeForms are the forms in which Freshservice sends dates, all seen: date-times with and without
// fraction and zone, with T and with a blank, and days alone. No zone means UTC.
var timeForms = [...]string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 MST",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02",
}

// ParseTime takes a date-time or a day as text, without zone as UTC, and gives it in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, form := range timeForms {
		at, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		if strings.HasSuffix(form, "MST") && !strings.HasSuffix(text, " UTC") && !strings.HasSuffix(text, " GMT") {
			break // other abbreviations of zones are ambiguous
		}
		return at.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("no date in a known form")
}
