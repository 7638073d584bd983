package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
)

// The headers of what is posted.
const (
	HeaderEvent     = "Codex-Event"     // the kind
	HeaderID        = "Codex-Id"        // the same with each attempt
	HeaderTimestamp = "Codex-Timestamp" // of this attempt: seconds since 1970
	HeaderSignature = "Codex-Signature"
)

// Signature is the value of [HeaderSignature], in the form that Stripe made well known: t=<timestamp> and
// v1=<HMAC-SHA256 of "<timestamp>.<body>", hex>. The receiver computes the same, compares in constant
// time, and refuses a timestamp that is old: so nobody sends again what he has overheard.
func Signature(secret codex.Secret, at time.Time, body []byte) string {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(timestamp + ".")) // a hash's Write gives no error
	mac.Write(body)
	return "t=" + timestamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
