package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hivematrix/codex"
)

// Item is what a flag or a difference is about. Entity and ID name it for good, Name is for people.
type Item struct {
	Entity string // one of the words below
	ID     string // unique among those of its entity
	Name   string // the ID where nothing better is known
}

// What items are. What is served has the hub's own ids, what could not be placed the ids of its upstream.
const (
	EntityFeeds       = "feeds"       // codex.Feed
	EntityCompanies   = "companies"   // account number
	EntityAssets      = "assets"      // the hub's integer, by which Ledger knows the machine
	EntityContacts    = "contacts"    // the hub's integer, by which Ledger knows the person
	EntityTickets     = "tickets"     // the number that people see
	EntitySites       = "sites"       // Datto's site UID
	EntityDevices     = "devices"     // Datto's device UID
	EntityDepartments = "departments" // Freshservice's id
	EntityRequesters  = "requesters"  // Freshservice's id
	EntityRecords     = "records"     // a record that could not be decoded, by its id at its upstream
	EntityStatuses    = "statuses"    // the number of a ticket's status
)

// String is the item as the command line takes it: assets:12.
func (i Item) String() string { return i.Entity + ":" + i.ID }

// ParseItem takes an item as [Item.String] gives it.
func ParseItem(text string) (Item, error) {
	entity, id, found := strings.Cut(text, ":")
	if !found || entity == "" || id == "" {
		return Item{}, fmt.Errorf("%q is no item: give entity and id, such as assets:12", text)
	}
	return Item{Entity: entity, ID: id}, nil
}

// Subject is what can be acknowledged: something of a kind about an item of a company, as its facts are
// now.
type Subject struct {
	Account     codex.AccountNumber // empty where it concerns no company
	Kind        string
	Item        Item
	Fingerprint string // of its facts: an acknowledgement holds as long as they stay
}

// Fingerprint is what an acknowledgement keeps of the facts that it is about. Facts are what has to
// change for a person to look again, and nothing else: neither the month nor a price, nor the wording
// of a reason.
func Fingerprint(account codex.AccountNumber, kind string, item Item, facts ...string) string {
	text, err := json.Marshal([]any{account, kind, item.Entity, item.ID, facts})
	if err != nil { // texts alone: cannot happen
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
