package config

import "path/filepath"

// section is a section of the configuration file.
type section struct {
	name string
	doc  string // markdown, one paragraph
	// required are the keys without which the section is only half there. With none of its keys
	// given, the section is missing, and whatever it configures is off.
	required []string
	without  string // what is so without the section, in words, where it has required keys
	keys     []key
	// unused are keys of the old tools that are accepted; one that ends in * stands for all that
	// begin so.
	unused []string
}

// key is one setting: all that is said about it, said once.
type key struct {
	name    string
	doc     string                 // markdown, whole sentences
	def     string                 // the default as text; empty: none, or derived
	derived func(c *Config) string // a default that depends on what was read before
	defDoc  string                 // the default in words, where def is empty
	example string                 // a value as the example file has it, where def is not one
	secret  bool                   // never shown
	mask    func(c *Config) string // what is shown in place of a text with a secret in it
	env     string                 // a second name in the environment, and in .flaskenv
	flask   string                 // a name in .flaskenv alone
	value   func(c *Config) value  // where it goes and how it is read
}

// sections is the list of all that can be configured, in the order of printing and of reading: a
// derived default sees what stands above it.
func sections() []section {
	return []section{
		{name: "database", doc: "Where the hub keeps its data.", keys: []key{
			{
				name: "connection_string", env: "DATABASE_URL",
				example: "postgresql://codex:secret@127.0.0.1:5432/codex",
				derived: func(c *Config) string { return "sqlite:///" + filepath.Join(c.InstanceDir, "codex.db") },
				defDoc:  "`codex.db` in the instance folder, SQLite",
				doc: "The database, as SQLAlchemy writes it: `postgresql://user:password@host:5432/name` (also " +
					"`postgresql+psycopg://`, `postgresql+psycopg2://`, `postgres://`; special characters of user " +
					"and password percent-encoded, query parameters kept, several hosts separated by commas), " +
					"`sqlite:////absolute/path.db` or `sqlite:///relative.db`. A relative path begins at the " +
					"instance folder, or at the folder above where it begins with the instance folder's own " +
					"name: `sqlite:///codex.db` and `sqlite:///instance/codex.db` are the same file. A database " +
					"in memory is refused.",
				mask: func(c *Config) string { return c.Database.Display },
				value: func(c *Config) value {
					return into(&c.Database, func(text string) (Database, error) {
						return ParseDatabase(text, c.InstanceDir)
					})
				},
			},
		}},
		{
			name:     "freshservice",
			doc:      "Companies, contacts and tickets. Without this section those feeds are off.",
			required: []string{"api_key", "domain"},
			without:  "that feed is off",
			keys: []key{
				{
					name: "api_key", secret: true, example: "the agent's API key",
					doc: "The API key of a Freshservice agent who may see all departments, requesters and " +
						"tickets.",
					value: func(c *Config) value { return into(&c.Freshservice.APIKey, readSecret) },
				},
				{
					name: "domain", example: "acme.freshservice.com",
					doc: "The Freshservice account, such as `acme.freshservice.com`; bare means https. A full " +
						"`http://…` or `https://…` URL is taken as it is.",
					value: func(c *Config) value { return into(&c.Freshservice.URL, readURL) },
				},
				{
					name: "web_domain", example: "support.acme.example",
					derived: func(c *Config) string { return c.Freshservice.URL },
					defDoc:  "`domain`",
					doc: "The address that people open in a browser, in the forms of `domain`. Accepted and " +
						"checked; links to tickets begin with it.",
					value: func(c *Config) value { return into(&c.Freshservice.WebURL, readURL) },
				},
				{
					name: "workspaces", defDoc: "the primary workspace", example: "2, 7",
					doc: "The ids of the workspaces whose tickets are synced, separated by commas; `0`, alone, " +
						"is all of them with their global fields.",
					value: func(c *Config) value { return into(&c.Freshservice.Workspaces, readWorkspaces) },
				},
				{
					name: "closed_statuses", defDoc: "none", example: "16",
					doc:   "The numbers of ticket statuses that count as closed beside 5, separated by commas.",
					value: func(c *Config) value { return into(&c.Freshservice.ClosedStatuses, readStatuses) },
				},
				{
					name: "open_statuses", defDoc: "none", example: "6, 7",
					doc: "The numbers of ticket statuses that count as open beside 2, 3 and 4, separated by " +
						"commas.",
					value: func(c *Config) value { return into(&c.Freshservice.OpenStatuses, readStatuses) },
				},
				{
					name: "bill_non_billable", def: "true",
					doc:   "Whether time entries that are marked as not billable count in a ticket's hours.",
					value: func(c *Config) value { return into(&c.Freshservice.BillNonBillable, readBool) },
				},
				{
					name: "conversations_days", def: "365",
					doc: "The conversations and notes of tickets updated within so many days are synced; 0 is " +
						"none.",
					value: func(c *Config) value { return into(&c.Freshservice.ConversationsDays, readInt(0, 36500)) },
				},
				{
					name: "webhook_secret", secret: true, defDoc: "none, no webhook is taken", example: "what-openssl-rand-hex-32-prints",
					doc: "The secret with which a Freshservice workflow automator announces changes to " +
						"`/webhooks/freshservice`, in the header `X-Webhook-Secret` (docs/sync.md, \"Webhooks\"); at " +
						"least 16 characters.",
					value: func(c *Config) value { return into(&c.Freshservice.WebhookSecret, readWebhookSecret) },
				},
			},
		},
		{
			name:     "datto",
			doc:      "Machines and their backups, from Datto RMM. Without this section the feed is off.",
			required: []string{"api_endpoint", "public_key", "secret_key"},
			without:  "that feed is off",
			keys: []key{
				{
					name: "api_endpoint", example: "https://pinotage-api.centrastage.net",
					doc: "The API address of the Datto RMM platform that holds the account, such as " +
						"`https://pinotage-api.centrastage.net`.",
					value: func(c *Config) value { return into(&c.Datto.APIEndpoint, readURL) },
				},
				{
					name: "public_key", example: "the user's API key",
					doc:   "The API key of a Datto RMM user.",
					value: func(c *Config) value { return into(&c.Datto.PublicKey, readText) },
				},
				{
					name: "secret_key", secret: true, example: "the user's API secret key",
					doc:   "The API secret key of that user.",
					value: func(c *Config) value { return into(&c.Datto.SecretKey, readSecret) },
				},
				{
					name: "account_variable", def: "AccountNumber",
					doc:   "The name of the site variable that holds the company's account number.",
					value: func(c *Config) value { return into(&c.Datto.AccountVariable, readText) },
				},
				{
					name: "backup_udf", def: "6",
					doc:   "The number of the user-defined field that holds a machine's backup bytes.",
					value: func(c *Config) value { return into(&c.Datto.BackupUDF, readInt(1, 300)) },
				},
				{
					name: "administrators_udf", def: "4",
					doc:   "The number of the user-defined field that lists a machine's enabled administrators.",
					value: func(c *Config) value { return into(&c.Datto.AdministratorsUDF, readInt(1, 300)) },
				},
				{
					name: "device_type_udf", def: "7",
					doc:   "The number of the user-defined field that holds a machine's device type.",
					value: func(c *Config) value { return into(&c.Datto.DeviceTypeUDF, readInt(1, 300)) },
				},
			},
		},
		{name: "server", doc: "Where the hub answers. Both listeners serve every path.", keys: []key{
			{
				name: "listen", def: "127.0.0.1:5001", flask: "SERVICE_PORT",
				doc: "The address and port of the hub; a port alone is on 127.0.0.1, an address such as `:5001` " +
					"is on every interface. SERVICE_PORT of .flaskenv is taken too.",
				value: func(c *Config) value { return into(&c.Server.Listen, readListen) },
			},
			{
				name: "archive_listen", def: "127.0.0.1:5012",
				doc: "The address and port where the hub answers as the Archive service, in the forms of " +
					"`listen`.",
				value: func(c *Config) value { return into(&c.Server.ArchiveListen, readListen) },
			},
		}},
		{name: "core", doc: "Core, the identity service: whose signed tokens are accepted (docs/auth.md).", keys: []key{
			{
				name: "url", env: "CORE_SERVICE_URL", defDoc: "none, only local tokens",
				example: "http://127.0.0.1:5000",
				doc: "The address of Core, whose signed tokens are accepted; CORE_SERVICE_URL of the environment " +
					"or .flaskenv is taken too.",
				value: func(c *Config) value { return into(&c.Core.URL, readURL) },
			},
			{
				name: "issuer", def: "hivematrix-core",
				doc: "The `iss` that Core's tokens must have; a Core of before October 2025 says " +
					"`hivematrix.core`.",
				value: func(c *Config) value { return into(&c.Core.Issuer, readText) },
			},
			{
				name: "check_revocation", def: "false",
				doc: "Whether Core is asked if a user's session was revoked, twice a minute at most for each; a " +
					"user's token without session id is then refused.",
				value: func(c *Config) value { return into(&c.Core.CheckRevocation, readBool) },
			},
			{
				name: "service_name", def: "codex", env: "SERVICE_NAME",
				doc: "The name under which the hub asks Core for service tokens, `codex` or `archive`; " +
					"SERVICE_NAME of the environment or .flaskenv is taken too. Ledger is asked with them first.",
				value: func(c *Config) value { return into(&c.Core.ServiceName, readServiceName) },
			},
		}},
		{name: "auth", doc: "What services may do with a token of Core's, which Core gives to whoever asks. A service " +
			"with a local token needs no entry.", keys: []key{
			{
				name: "sync_services", defDoc: "none", example: "ledger",
				doc: "The names of the services whose tokens from Core may start syncs, separated by commas.",
				value: func(c *Config) value {
					return into(&c.Auth.SyncServices, readList("names of services", readServiceName))
				},
			},
			{
				name: "service_addresses", defDoc: "anywhere", example: "127.0.0.1, ::1, 10.20.0.0/16",
				doc: "Where services' tokens from Core may come from: addresses and networks, separated by commas. " +
					"What counts is the other end of the connection, and no header that says otherwise: behind a " +
					"proxy that is the proxy.",
				value: func(c *Config) value {
					return into(&c.Auth.ServiceAddresses, readList("addresses and networks such as 10.20.0.0/16", readNetwork))
				},
			},
		}},
		{name: "services", doc: "The neighbours.", keys: []key{
			{
				name: "ledger_url", defDoc: "none, Ledger hands its bills in", example: "http://127.0.0.1:5030",
				doc: "The address of Ledger, the billing service, which is asked to accept bills; a Ledger that keeps " +
					"its bills itself is asked for them too (docs/bills.md, \"Ledger\").",
				value: func(c *Config) value { return into(&c.Services.LedgerURL, readURL) },
			},
			{
				name: "ledger_time_limit", def: "60",
				doc:   "How many seconds Ledger has for one call: it reads a company twice to make its bill.",
				value: func(c *Config) value { return into(&c.Services.LedgerTimeLimit, readSeconds(1, 3600)) },
			},
		}},
		{
			name: "keycloak",
			doc: "The account in whose name Ledger is asked, for Ledger takes users alone: it logs in at Keycloak, and Core " +
				"exchanges that for a token of its own. Without this section bills are made in the name of the person who " +
				"starts a run, and of nobody in a scheduled one (docs/bills.md, \"Ledger\").",
			required: []string{"server_url", "client_id", "username", "password"},
			without:  "Ledger is asked as a service, or as the person who starts a run",
			keys: []key{
				{
					name: "server_url", example: "http://127.0.0.1:8080",
					doc:   "The address of the Keycloak that Core trusts, such as `http://127.0.0.1:8080`.",
					value: func(c *Config) value { return into(&c.Keycloak.ServerURL, readURL) },
				},
				{
					name: "realm", def: "hivematrix",
					doc:   "The realm in which the account is.",
					value: func(c *Config) value { return into(&c.Keycloak.Realm, readText) },
				},
				{
					name: "client_id", example: "core-client",
					doc:   "The client in whose name the account logs in; its direct access grants must be enabled.",
					value: func(c *Config) value { return into(&c.Keycloak.ClientID, readText) },
				},
				{
					name: "client_secret", secret: true, defDoc: "none", example: "the client's secret",
					doc:   "The client's secret; a public client has none.",
					value: func(c *Config) value { return into(&c.Keycloak.ClientSecret, readSecret) },
				},
				{
					name: "username", example: "codex-billing",
					doc:   "The account, one that may accept bills in Ledger.",
					value: func(c *Config) value { return into(&c.Keycloak.Username, readText) },
				},
				{
					name: "password", secret: true, example: "the account's password",
					doc:   "The account's password.",
					value: func(c *Config) value { return into(&c.Keycloak.Password, readSecret) },
				},
			},
		},
		{name: "scheduler", doc: "When syncs and the monthly bills run by themselves (docs/schedule.md). Whether, when and " +
			"for whom bills are made is kept in the database; they need `[services] ledger_url`.", unused: []string{"sync_*"}, keys: []key{
			{
				name: "enabled", def: "true",
				doc: "Whether syncs run by themselves. The monthly bills have a switch of their own, and sync before " +
					"they are made.",
				value: func(c *Config) value { return into(&c.Scheduler.Enabled, readBool) },
			},
			{
				name: "timezone", def: "UTC", example: "America/New_York",
				doc: "The time zone in which the schedules are meant, that of the monthly bills too, by its IANA name. " +
					"Daylight-saving changes neither skip nor double a run.",
				value: func(c *Config) value { return into(&c.Scheduler.Timezone, readZone) },
			},
			{
				name: "freshservice", def: "0 2 * * *",
				doc: "When companies, locations and contacts are synced: minute, hour, day of month, month, day " +
					"of week.",
				value: func(c *Config) value { return into(&c.Scheduler.Freshservice, readCron) },
			},
			{
				name: "datto", def: "0 3 * * *",
				doc:   "When sites and machines are synced, in the form of `freshservice`.",
				value: func(c *Config) value { return into(&c.Scheduler.Datto, readCron) },
			},
			{
				name: "tickets", def: "0 */2 * * *",
				doc:   "When tickets are synced, in the form of `freshservice`.",
				value: func(c *Config) value { return into(&c.Scheduler.Tickets, readCron) },
			},
			{
				name: "catch_up_days", def: "7",
				doc: "How many days late the bills of a month are still made by themselves, after the hub was down; at " +
					"most 60. Older ones need a person, since Ledger makes bills from the machines and people of the " +
					"day on which it is asked.",
				value: func(c *Config) value { return into(&c.Scheduler.CatchUpDays, readInt(0, 60)) },
			},
			{
				name: "hold_flagged", def: "false",
				doc: "Whether a job of the monthly bills leaves out companies that the review before the bill flags, until " +
					"somebody acknowledges the flags and retries the job.",
				value: func(c *Config) value { return into(&c.Scheduler.HoldFlagged, readBool) },
			},
			{
				name: "concurrency", def: "2",
				doc:   "How many companies a job of the monthly bills asks Ledger for at a time.",
				value: func(c *Config) value { return into(&c.Scheduler.Concurrency, readInt(1, 32)) },
			},
		}},
		{name: "sync", doc: "How syncs decide.", keys: []key{
			{
				name: "max_removal_percent", def: "20",
				doc: "A sync that would remove more than this share of what is there, in percent, and at least " +
					"10 records, holds the removals: they wait until the records are no longer absent, until an " +
					"admin approves them (`codex sync approve`), or until somebody runs the feed again with `--force`.",
				value: func(c *Config) value { return into(&c.Sync.MaxRemovalPercent, readPercent) },
			},
			{
				name: "default_hours", def: "0.25",
				doc:   "The hours that a closed ticket without time spent counts as.",
				value: func(c *Config) value { return into(&c.Sync.DefaultHours, readHours) },
			},
		}},
		{name: "graphql", doc: "How much one GraphQL request, or caller, may ask for; docs/graphql.md, \"Limits\", tells what " +
			"each means and what its error is.", keys: []key{
			{
				name: "max_cost", def: "3000000",
				doc:   "How many values the answer of an operation may have, reckoned before it runs.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxCost, readInt(1, 1_000_000_000)) },
			},
			{
				name: "max_depth", def: "12",
				doc:   "How many fields of an operation may stand inside one another.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxDepth, readInt(1, 100)) },
			},
			{
				name: "max_aliases", def: "100",
				doc: "How many fields of a query's text may have another name, or stand where the same is " +
					"already.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxAliases, readInt(1, 10_000)) },
			},
			{
				name: "max_root_fields", def: "50",
				doc:   "How many fields of Query one query may ask for.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxRootFields, readInt(1, 1000)) },
			},
			{
				name: "max_mutations", def: "10",
				doc:   "How many fields of Mutation one mutation may ask for.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxMutations, readInt(1, 1000)) },
			},
			{
				name: "max_directives", def: "50",
				doc:   "How many directives a query's text may have.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxDirectives, readInt(1, 10_000)) },
			},
			{
				name: "max_tokens", def: "4000",
				doc:   "How many words and signs a query's text may have.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxTokens, readInt(100, 100_000)) },
			},
			{
				name: "max_body_bytes", def: "1048576",
				doc:   "How many bytes the body of a request may have, variables included; 2 MiB at most.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxBodyBytes, readInt(1024, 2<<20)) },
			},
			{
				name: "time_limit", def: "25",
				doc: "How many seconds a query or mutation may take; the gateway gives up after 30 by itself. " +
					"Subscriptions last.",
				value: func(c *Config) value { return into(&c.GraphQL.TimeLimit, readSeconds(1, 3600)) },
			},
			{
				name: "max_concurrent", def: "32",
				doc:   "How many queries and mutations a caller may have under way at once.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxConcurrent, readInt(1, 10_000)) },
			},
			{
				name: "max_streams", def: "32",
				doc:   "How many subscriptions a caller may have at once.",
				value: func(c *Config) value { return into(&c.GraphQL.MaxStreams, readInt(1, 10_000)) },
			},
			{
				name: "introspection", def: "all",
				doc: "Who may ask for the schema itself: `all` who may ask for anything, or `admin`s alone; for " +
					"others the playground then has neither documentation nor completion.",
				value: func(c *Config) value { return into(&c.GraphQL.Introspection, readOneOf("all", "admin")) },
			},
		}},
		{name: "rest", doc: "What the documented REST paths serve.", keys: []key{
			{
				name: "seed_keys_only", def: "false",
				doc: "Whether companies are served without the contract and support keys that were added after " +
					"October 2025; for a Ledger of before 29 October.",
				value: func(c *Config) value { return into(&c.Rest.SeedKeysOnly, readBool) },
			},
			{
				name: "ticket_days", def: "365",
				doc:   "Without a year, the tickets last updated within so many days are served.",
				value: func(c *Config) value { return into(&c.Rest.TicketDays, readInt(1, 36500)) },
			},
		}},
		{name: "archive", doc: "How accepted bills are kept.", keys: []key{
			{
				name: "unknown_accounts", def: "accept",
				doc: "What becomes of a bill for an account number that no company has: `accept` keeps it, with the " +
					"mark `unknown_account`, since a customer who has left still gets a last bill; `reject` refuses it.",
				value: func(c *Config) value { return into(&c.Archive.UnknownAccounts, readOneOf("accept", "reject")) },
			},
			{
				name: "totals", def: "warn",
				doc: "What becomes of a bill whose total is not the sum of its charges, of its lines or of its CSV's " +
					"amounts, half a cent allowed for each: `warn` keeps it, with the mark `totals_differ`; `reject` " +
					"refuses it.",
				value: func(c *Config) value { return into(&c.Archive.Totals, readOneOf("warn", "reject")) },
			},
			{
				name: "key_file", example: "/etc/codex/archive.key",
				derived: func(c *Config) string { return filepath.Join(c.InstanceDir, "archive.key") },
				defDoc:  "`archive.key` in the instance folder",
				doc: "The file with the key by which the log of archived bills is signed; a relative path begins at " +
					"the instance folder. It is made at the first start, and all replicas have copies of " +
					"the one key (docs/archive.md, \"The key\").",
				value: func(c *Config) value {
					return into(&c.Archive.KeyFile, func(text string) (string, error) { return readPath(text, c.InstanceDir) })
				},
			},
			{
				name: "checkpoint_file", example: "/mnt/shared/codex/archive.checkpoint",
				derived: func(c *Config) string { return filepath.Join(filepath.Dir(c.Archive.KeyFile), "archive.checkpoint") },
				defDoc:  "`archive.checkpoint` beside the key",
				doc: "The file with the newest log checkpoint, by which a database that came back from an older backup is " +
					"recognised. It must not come back with the database, and replicas on several machines share one " +
					"(docs/archive.md, \"The newest log checkpoint\"). A relative path begins at the instance folder.",
				value: func(c *Config) value {
					return into(&c.Archive.CheckpointFile, func(text string) (string, error) { return readPath(text, c.InstanceDir) })
				},
			},
			{
				name: "log_origin", example: "codex.example.com/archive",
				defDoc: "what the key says, and of a new one the machine's name with `/archive` behind it",
				doc: "What the log of archived bills is called, for ever: best the hub's public address without " +
					"`https://`, with `/archive` behind it. It stands in the key from when that is made; another name " +
					"than the key's stops all archiving.",
				value: func(c *Config) value { return into(&c.Archive.LogOrigin, readOrigin) },
			},
			{
				name: "publish", example: "/mnt/elsewhere/codex.checkpoint", defDoc: "nowhere",
				doc: "Where the newest log checkpoint goes on start and daily, best where " +
					"nobody who may change the database may change it: a file, or an `http://…` or `https://…` address " +
					"to which it is posted, of which no more than the host is shown (docs/archive.md, \"Publishing\"). " +
					"A relative path begins at the instance folder.",
				mask: func(c *Config) string { return maskPublish(c.Archive.Publish) },
				value: func(c *Config) value {
					return into(&c.Archive.Publish, func(text string) (string, error) { return readPublish(text, c.InstanceDir) })
				},
			},
			{
				name: "verify_every", def: "24h",
				doc: "How often a serve verifies the log of archived bills by itself, as `codex archive verify` does: " +
					"hours or minutes such as `24h`, or `0` for never. Of several replicas one does it " +
					"(docs/archive.md, \"Verified daily\").",
				value: func(c *Config) value { return into(&c.Archive.VerifyEvery, readEvery) },
			},
		}},
		{
			name: "notify",
			doc: "The webhook that is told what needs a person: syncs and snapshot jobs that failed, a log that does " +
				"not verify (docs/notifications.md). Without this section nobody is told.",
			required: []string{"url", "secret"},
			without:  "nobody is told",
			keys: []key{
				{
					name: "url", example: "https://hooks.example.com/codex",
					doc: "The `http://…` or `https://…` address to which events are posted; no more than its host is " +
						"shown or logged.",
					mask:  func(c *Config) string { return maskPublish(c.Notify.URL) },
					value: func(c *Config) value { return into(&c.Notify.URL, readHook) },
				},
				{
					name: "secret", secret: true, example: "what-openssl-rand-hex-32-prints",
					doc: "The secret with which events are signed (HMAC-SHA256), which the receiver knows too; at least 16 " +
						"characters.",
					value: func(c *Config) value { return into(&c.Notify.Secret, readWebhookSecret) },
				},
			},
		},
		{name: "review", doc: "What the review before the bill takes notice of (docs/billing-review.md).", keys: []key{
			{
				name: "unseen_days", def: "60",
				doc: "A machine that Datto RMM has not seen for more than so many days when the month ends is " +
					"flagged.",
				value: func(c *Config) value { return into(&c.Review.UnseenDays, readInt(1, 3650)) },
			},
			{
				name: "moved_percent", def: "20",
				doc: "A count of machines or people that moved by more than so many percent since the company's " +
					"last bill is flagged.",
				value: func(c *Config) value { return into(&c.Review.MovedPercent, readInt(0, 1000)) },
			},
		}},
		{name: "log", doc: "What the hub says of its work, on standard error.", keys: []key{
			{
				name: "level", def: "info", flask: "LOG_LEVEL",
				doc: "The least that is logged: `debug`, `info`, `warn` or `error`; LOG_LEVEL of .flaskenv is " +
					"taken too.",
				value: func(c *Config) value { return into(&c.Log.Level, readLevel) },
			},
			{
				name: "format", def: "text",
				doc:   "The form of the log's lines: `text` or `json`.",
				value: func(c *Config) value { return into(&c.Log.Format, readOneOf("text", "json")) },
			},
		}},
		// What the old tools write into the same file (docs/compatibility.md, "Configuration").
		{name: "database_credentials", unused: []string{"db_*"}},
		{name: "psa", unused: []string{"*"}},
		{name: "rmm", unused: []string{"*"}},
		{name: "webhooks", unused: []string{"*"}},
	}
}

// unusedFlaskenv are the variables of .flaskenv that were for Flask or for neighbours that the hub
// has not.
func unusedFlaskenv() []string {
	return []string{"FLASK_*", "PYTHON*", "HELM_SERVICE_URL"}
}
