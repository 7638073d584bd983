package config

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/hivematrix/codex"
)

// Config is the configuration of a hub, complete and valid: every field has its value, given or
// default. [Load] makes it. The comments of the fields below are the manual: [Reference] says the
// same, and so does docs/configuration.md.
type Config struct {
	// InstanceDir is the absolute path of the instance folder, where everything lives that
	// belongs to one hub: configuration, SQLite database, socket, first token.
	InstanceDir string
	// File is the absolute path of the configuration file that was read; empty when there was none.
	File string

	// The database, as SQLAlchemy writes it: `postgresql://user:password@host:5432/name` (also
	// `postgresql+psycopg://`, `postgresql+psycopg2://`, `postgres://`; special characters of user
	// and password percent-encoded, query parameters kept, several hosts separated by commas),
	// `sqlite:////absolute/path.db` or `sqlite:///relative.db`. A relative path begins at the
	// instance folder, or at the folder above where it begins with the instance folder's own name:
	// `sqlite:///codex.db` and `sqlite:///instance/codex.db` are the same file. A database in memory
	// is refused. Default: `codex.db` in the instance folder, SQLite.
	Database Database

	Freshservice Freshservice // [freshservice]: companies, contacts, tickets
	Datto        Datto        // [datto]: machines
	Server       Server       // [server]: the two listeners
	Core         Core         // [core]: who may log in
	Auth         Auth         // [auth]: what services may do
	Services     Services     // [services]: the neighbours
	Keycloak     Keycloak     // [keycloak]: the account in whose name Ledger is asked
	Scheduler    Scheduler    // [scheduler]: when syncs run
	Sync         Sync         // [sync]: how syncs decide
	GraphQL      GraphQL      // [graphql]: how much one may ask for at once
	Rest         Rest         // [rest]: what the documented REST paths serve
	Archive      Archive      // [archive]: how accepted bills are kept
	Notify       Notify       // [notify]: who is told what needs a person
	Review       Review       // [review]: what the review before the bill takes notice of
	Log          Log          // [log]: what the hub says of its work

	// Unused are the settings that are accepted for the sake of other tools and not used, each with
	// its place, and the files that are not needed; for `codex config check` to list.
	Unused []string

	settings []setting // every key's text and origin, in the order of the list
}

// Freshservice is the section [freshservice]. It and the tickets feed are off without it.
type Freshservice struct {
	// The API key of a Freshservice agent who may see all departments, requesters and tickets. No
	// default.
	APIKey codex.Secret
	// The Freshservice account, such as `acme.freshservice.com`; bare means https. A full
	// `http://…` or `https://…` URL is taken as it is. No default.
	URL string
	// The address that people open in a browser, in the forms of `domain`. Accepted and checked;
	// links to tickets begin with it. Default: `domain`.
	WebURL string
	// The ids of the workspaces whose tickets are synced, separated by commas; `0`, alone, is all of
	// them with their global fields. Default: the primary workspace.
	Workspaces []int64
	// The numbers of ticket statuses that count as closed beside 5, separated by commas. Default:
	// none.
	ClosedStatuses []int
	// The numbers of ticket statuses that count as open beside 2, 3 and 4, separated by commas.
	// Default: none.
	OpenStatuses []int
	// Whether time entries that are marked as not billable count in a ticket's hours. Default:
	// `true`.
	BillNonBillable bool
	// The conversations and notes of tickets updated within so many days are synced; 0 is none.
	// Default: `365`.
	ConversationsDays int
	// The secret with which a Freshservice workflow automator announces changes to
	// `/webhooks/freshservice`, in the header `X-Webhook-Secret` (docs/sync.md, "Webhooks"); at
	// least 16 characters. Default: none, no webhook is taken.
	WebhookSecret codex.Secret
}

// Enabled tells whether the feeds that read Freshservice are on.
func (f Freshservice) Enabled() bool { return f.APIKey != "" && f.URL != "" }

// Datto is the section [datto]. The datto feed is off without it.
type Datto struct {
	// The API address of the Datto RMM platform that holds the account, such as
	// `https://pinotage-api.centrastage.net`. No default.
	APIEndpoint string
	// The API key of a Datto RMM user. No default.
	PublicKey string
	// The API secret key of that user. No default.
	SecretKey codex.Secret
	// The name of the site variable that holds the company's account number. Default:
	// `AccountNumber`.
	AccountVariable string
	// The number of the user-defined field that holds a machine's backup bytes. Default: `6`.
	BackupUDF int
	// The number of the user-defined field that lists a machine's enabled administrators. Default:
	// `4`.
	AdministratorsUDF int
	// The number of the user-defined field that holds a machine's device type. Default: `7`.
	DeviceTypeUDF int
}

// Enabled tells whether the datto feed is on.
func (d Datto) Enabled() bool { return d.APIEndpoint != "" && d.PublicKey != "" && d.SecretKey != "" }

// Server is the section [server].
type Server struct {
	// The address and port of the hub; a port alone is on 127.0.0.1, an address such as `:5001` is
	// on every interface. SERVICE_PORT of .flaskenv is taken too. Default: `127.0.0.1:5001`.
	Listen string
	// The address and port where the hub answers as the Archive service, in the forms of `listen`.
	// Default: `127.0.0.1:5012`.
	ArchiveListen string
}

// Core is the section [core]. Without it there are local tokens alone.
type Core struct {
	// The address of Core, whose signed tokens are accepted; CORE_SERVICE_URL of the environment or
	// .flaskenv is taken too. Default: none, only local tokens.
	URL string
	// The `iss` that Core's tokens must have; a Core of before October 2025 says `hivematrix.core`.
	// Default: `hivematrix-core`.
	Issuer string
	// Whether Core is asked if a user's session was revoked, twice a minute at most for each; a user's
	// token without session id is then refused. Default: `false`.
	CheckRevocation bool
	// The name under which the hub asks Core for service tokens, `codex` or `archive`;
	// SERVICE_NAME of the environment or .flaskenv is taken too. Ledger is asked with them first.
	// Default: `codex`.
	ServiceName string
}

// Auth is the section [auth].
type Auth struct {
	// The names of the services whose tokens from Core may start syncs, separated by commas.
	// Default: none.
	SyncServices []string
	// Where services' tokens from Core may come from: addresses and networks, separated by commas.
	// What counts is the other end of the connection, and no header that says otherwise: behind a
	// proxy that is the proxy. Default: anywhere.
	ServiceAddresses []netip.Prefix
}

// Services is the section [services].
type Services struct {
	// The address of Ledger, the billing service, which is asked to accept bills; a Ledger that keeps
	// its bills itself is asked for them too (docs/bills.md, "Ledger"). Default: none, Ledger hands its bills in.
	LedgerURL string
	// How many seconds Ledger has for one call: it reads a company twice to make its bill. Default:
	// `60`.
	LedgerTimeLimit time.Duration
}

// Keycloak is the section [keycloak]. Without it bills are made in the name of the person who starts a
// run, and of nobody in a scheduled one.
type Keycloak struct {
	// The address of the Keycloak that Core trusts, such as `http://127.0.0.1:8080`. No default.
	ServerURL string
	// The realm in which the account is. Default: `hivematrix`.
	Realm string
	// The client in whose name the account logs in; its direct access grants must be enabled. No
	// default.
	ClientID string
	// The client's secret; a public client has none. Default: none.
	ClientSecret codex.Secret
	// The account, one that may accept bills in Ledger. No default.
	Username string
	// The account's password. No default.
	Password codex.Secret
}

// Enabled tells whether there is an account.
func (k Keycloak) Enabled() bool {
	return k.ServerURL != "" && k.ClientID != "" && k.Username != "" && k.Password != ""
}

// Scheduler is the section [scheduler]: when syncs and the monthly bills run by themselves.
type Scheduler struct {
	// Whether syncs run by themselves. The monthly bills have a switch of their own, and sync before
	// they are made. Default: `true`.
	Enabled bool
	// The time zone in which the schedules are meant, that of the monthly bills too, by its IANA name.
	// Daylight-saving changes neither skip nor double a run. Default: `UTC`.
	Timezone *time.Location
	// When companies, locations and contacts are synced: minute, hour, day of month, month, day of
	// week. Default: `0 2 * * *`.
	Freshservice Cron
	// When sites and machines are synced, in the form of `freshservice`. Default: `0 3 * * *`.
	Datto Cron
	// When tickets are synced, in the form of `freshservice`. Default: `0 */2 * * *`.
	Tickets Cron
	// How many days late the bills of a month are still made by themselves, after the hub was down; at
	// most 60. Older ones need a person, since Ledger makes bills from the machines and people of the
	// day on which it is asked. Default: `7`.
	CatchUpDays int
	// Whether a job of the monthly bills leaves out companies that the review before the bill flags, until
	// somebody acknowledges the flags and retries the job. Default: `false`.
	HoldFlagged bool
	// How many companies a job of the monthly bills asks Ledger for at a time. Default: `2`.
	Concurrency int
}

// Sync is the section [sync].
type Sync struct {
	// A sync that would remove more than this share of what is there, in percent, and at least 10
	// records, holds the removals: they wait until the records are no longer absent, until an admin
	// approves them (`codex sync approve`), or until somebody runs the feed again with `--force`.
	// Default: `20`.
	MaxRemovalPercent int
	// The hours that a closed ticket without time spent counts as. Default: `0.25`.
	DefaultHours codex.Seconds
}

// GraphQL is the section [graphql].
type GraphQL struct {
	// How many values the answer of an operation may have, reckoned before it runs. Default: `3000000`.
	MaxCost int
	// How many fields of an operation may stand inside one another. Default: `12`.
	MaxDepth int
	// How many fields of a query's text may have another name, or stand where the same is already.
	// Default: `100`.
	MaxAliases int
	// How many fields of Query one query may ask for. Default: `50`.
	MaxRootFields int
	// How many fields of Mutation one mutation may ask for. Default: `10`.
	MaxMutations int
	// How many directives a query's text may have. Default: `50`.
	MaxDirectives int
	// How many words and signs a query's text may have. Default: `4000`.
	MaxTokens int
	// How many bytes the body of a request may have, variables included; 2 MiB at most. Default:
	// `1048576`.
	MaxBodyBytes int
	// How many seconds a query or mutation may take; the gateway gives up after 30 by itself. Subscriptions
	// last. Default: `25`.
	TimeLimit time.Duration
	// How many queries and mutations a caller may have under way at once. Default: `32`.
	MaxConcurrent int
	// How many subscriptions a caller may have at once. Default: `32`.
	MaxStreams int
	// Who may ask for the schema itself: `all` who may ask for anything, or `admin`s alone; for others
	// the playground then has neither documentation nor completion. Default: `all`.
	Introspection string
}

// Rest is the section [rest].
type Rest struct {
	// Whether companies are served without the contract and support keys that were added after
	// October 2025; for a Ledger of before 29 October. Default: `false`.
	SeedKeysOnly bool
	// Without a year, the tickets last updated within so many days are served. Default: `365`.
	TicketDays int
}

// Archive is the section [archive].
type Archive struct {
	// What becomes of a bill for an account number that no company has: `accept` keeps it, with the
	// mark `unknown_account`, since a customer who has left still gets a last bill; `reject` refuses
	// it. Default: `accept`.
	UnknownAccounts string
	// What becomes of a bill whose total is not the sum of its charges, of its lines or of its CSV's
	// amounts, half a cent allowed for each: `warn` keeps it, with the mark `totals_differ`; `reject`
	// refuses it. Default: `warn`.
	Totals string
	// The file with the key by which the log of archived bills is signed; a relative path begins at
	// the instance folder. It is made at the first start, and all replicas have copies of
	// the one key (docs/archive.md, "The key"). Default: `archive.key` in the instance folder.
	KeyFile string
	// The file with the newest log checkpoint, by which a database that came back from an older backup is
	// recognised. It must not come back with the database, and replicas on several machines share one
	// (docs/archive.md, "The newest log checkpoint"). A relative path begins at the instance folder.
	// Default: `archive.checkpoint` beside the key.
	CheckpointFile string
	// What the log of archived bills is called, for ever: best the hub's public address without
	// `https://`, with `/archive` behind it. It stands in the key from when that is made; another name
	// than the key's stops all archiving. Default: what the key says, and of a new one the machine's
	// name with `/archive` behind it.
	LogOrigin string
	// Where the newest log checkpoint goes on start and daily, best where nobody who may change the
	// database may change it: a file, or an `http://…` or `https://…` address to which it is posted, of
	// which no more than the host is shown (docs/archive.md, "Publishing"). A relative path begins at
	// the instance folder. Default: nowhere.
	Publish string
	// How often a serve verifies the log of archived bills by itself, as `codex archive verify` does:
	// hours or minutes such as `24h`, or `0` for never. Of several replicas one does it
	// (docs/archive.md, "Verified daily"). Default: `24h`.
	VerifyEvery time.Duration
}

// Notify is the section [notify]. Without it nobody is told anything.
type Notify struct {
	// The `http://…` or `https://…` address to which events are posted; no more than its host is shown
	// or logged. No default.
	URL string
	// The secret with which events are signed (HMAC-SHA256), which the receiver knows too; at least 16
	// characters. No default.
	Secret codex.Secret
}

// Enabled tells whether anybody is told.
func (n Notify) Enabled() bool { return n.URL != "" && n.Secret != "" }

// Review is the section [review].
type Review struct {
	// A machine that Datto RMM has not seen for more than so many days when the month ends is flagged.
	// Default: `60`.
	UnseenDays int
	// A count of machines or people that moved by more than so many percent since the company's last
	// bill is flagged. Default: `20`.
	MovedPercent int
}

// Log is the section [log].
type Log struct {
	// The least that is logged: `debug`, `info`, `warn` or `error`; LOG_LEVEL of .flaskenv is taken
	// too. Default: `info`.
	Level slog.Level
	// The form of the log's lines: `text` or `json`. Default: `text`.
	Format string
}

// Cron is a schedule of five fields (minute, hour, day of month, month, day of week) or a word such
// as @daily, valid for github.com/robfig/cron/v3's standard parser, which gocron uses.
type Cron string

// Warning is something that does not stop the hub and that a person should see.
type Warning struct {
	Where   string // the place: a file with its line, or an environment variable
	Message string // what is there and what to do
}

// String is w on one line.
func (w Warning) String() string { return w.Where + ": " + w.Message }
