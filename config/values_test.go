package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
)

func TestABadValueNamesFileSectionKeyAndRemedy(t *testing.T) {
	const (
		whole    = " must be a whole number from "
		list     = "numbers of ticket statuses, separated by commas"
		truth    = " must be true or false"
		url      = " must be an address such as https://host.example or host.example"
		listen   = " must be an address and port such as 127.0.0.1:5001, or a port alone"
		schedule = " must be a schedule of five fields: minute, hour, day of month, month, day of week, such as 0 2 * * *"
		hours    = " must be hours as a decimal number from 0 to 24, such as 0.25"
		percent  = " must be a whole percentage from 0 to 100"
		secret   = "at least 16 printable ASCII characters without blanks, such as openssl rand -hex 32 prints"
		feed     = "\n[freshservice] api_key: is missing in FILE: [freshservice] needs api_key, domain; without any key of it that feed is off" +
			"\n[freshservice] domain: is missing in FILE: [freshservice] needs api_key, domain; without any key of it that feed is off"
		lacks = " is missing in FILE: [notify] needs url, secret; without any key of it nobody is told"
	)
	for _, test := range []struct{ section, line, want string }{
		{"database", "connection_string = postgresql://u:hunter2@h",
			"the value of FILE:2 must be a connection string that names its database: postgresql://user:password@host/name"},
		{"database", "connection_string = sqlite://",
			"the value of FILE:2 must be a SQLite file: a database in memory is gone when the hub stops"},
		{"freshservice", "workspaces = two", `"two" of FILE:2 must be ids of workspaces, separated by commas` + feed},
		{"freshservice", "workspaces = 0, 2", `"0, 2" of FILE:2 must be 0 alone, for all workspaces, or the ids of some` + feed},
		{"freshservice", "closed_statuses = Closed", `"Closed" of FILE:2 must be ` + list + feed},
		{"freshservice", "open_statuses = 6 -1", `"6 -1" of FILE:2 must be ` + list + feed},
		{"freshservice", "bill_non_billable = maybe", `"maybe" of FILE:2` + truth + feed},
		{"freshservice", "conversations_days = -1", `"-1" of FILE:2` + whole + "0 to 36500" + feed},
		{"freshservice", "webhook_secret = hunter2", `the value of FILE:2 must be ` + secret + feed},
		{"freshservice", "webhook_secret = hunter2 hunter2 hunter2", `the value of FILE:2 must be ` + secret + feed},
		{"freshservice", "webhook_secret = hünter2hünter2hünter2", `the value of FILE:2 must be ` + secret + feed},
		{"server", "listen = localhost", `"localhost" of FILE:2` + listen},
		{"server", "listen = 127.0.0.1:http", `"127.0.0.1:http" of FILE:2` + listen},
		{"server", "listen = ::1:5001", `"::1:5001" of FILE:2` + listen},
		{"server", "archive_listen = 65536", `"65536" of FILE:2` + listen},
		{"server", "archive_listen = 127.0.0.1:5001", `"127.0.0.1:5001" of FILE:2 must not be the address of listen as well`},
		{"core", "url = ftp://core", `"ftp://core" of FILE:2` + url + ", by http or https"},
		{"core", "url = http://", `"http://" of FILE:2` + url},
		{"core", "url = http://core:0", `"http://core:0" of FILE:2` + url + ", its port from 1 to 65535"},
		{"core", "url = http://core/?a=b", `"http://core/?a=b" of FILE:2` + url},
		{"core", "url = http://me:hunter2@core", `the value of FILE:2` + url + ", without a user or password in it"},
		{"core", "url = http://me:hunter%zz@core", `the value of FILE:2` + url},
		{"core", "issuer = a\n b", `"a\nb" of FILE:2 must be one line of plain text`},
		{"core", "check_revocation = 2", `"2" of FILE:2` + truth},
		{"core", "service_name = Codex", `"Codex" of FILE:2 must be a service's name: at most 50 of a-z, 0-9, _ and -`},
		{"auth", "service_addresses = 10.0.0.1, ledger", `"10.0.0.1, ledger" of FILE:2 must be addresses and networks such as 10.20.0.0/16, separated by commas`},
		{"auth", "service_addresses = 10.0.0.0/33", `"10.0.0.0/33" of FILE:2 must be addresses and networks such as 10.20.0.0/16, separated by commas`},
		{"auth", "service_addresses = fe80::1%eth0", `"fe80::1%eth0" of FILE:2 must be addresses and networks such as 10.20.0.0/16, separated by commas`},
		{"auth", "sync_services = ledger, Le/dger", `"ledger, Le/dger" of FILE:2 must be names of services, separated by commas`},
		{"services", "ledger_url = a b", `"a b" of FILE:2` + url},
		{"archive", "publish = https://me:hunter2@h.example/", `the value of FILE:2` + url + ", without a user or password in it"},
		{"archive", "publish = ftp://h.example/hunter2", `the value of FILE:2` + url + ", by http or https"},
		{"archive", "publish = https://h.example/#hunter2", `the value of FILE:2` + url},
		{"archive", "verify_every = 24", `"24" of FILE:2 must be hours or minutes such as 24h or 90m, or 0 for never`},
		{"archive", "verify_every = 1s", `"1s" of FILE:2 must be hours or minutes such as 24h or 90m, or 0 for never`},
		{"notify", "url = hooks.example.com/hunter2", `the value of FILE:2 must be an address such as https://host.example/path?key=secret, by http or https` + "\n[notify] secret:" + lacks},
		{"notify", "url = ftp://h.example/hunter2", `the value of FILE:2` + url + ", by http or https\n[notify] secret:" + lacks},
		{"notify", "secret = hunter2", `the value of FILE:2 must be ` + secret + "\n[notify] url:" + lacks},
		{"scheduler", "enabled = nope", `"nope" of FILE:2` + truth},
		{"scheduler", "timezone = Mars/Olympus", `"Mars/Olympus" of FILE:2 must be a time zone by its IANA name, such as UTC or Europe/Berlin`},
		{"scheduler", "timezone = ../../etc/passwd", `"../../etc/passwd" of FILE:2 must be a time zone by its IANA name, such as UTC or Europe/Berlin`},
		{"scheduler", "freshservice = daily", `"daily" of FILE:2` + schedule},
		{"scheduler", "datto = 0 25 * * *", `"0 25 * * *" of FILE:2` + schedule},
		{"scheduler", "tickets = 0 0 */2 * * *", `"0 0 */2 * * *" of FILE:2` + schedule},
		{"scheduler", "tickets = 0 0 31 2 *", `"0 0 31 2 *" of FILE:2 must be a schedule with a time that ever comes`},
		{"graphql", "max_cost = 0", `"0" of FILE:2` + whole + "1 to 1000000000"},
		{"graphql", "max_body_bytes = 3000000", `"3000000" of FILE:2` + whole + "1024 to 2097152"},
		{"graphql", "time_limit = 30s", `"30s" of FILE:2 must be a whole number of seconds from 1 to 3600`},
		{"graphql", "introspection = nobody", `"nobody" of FILE:2 must be all or admin`},
		{"sync", "max_removal_percent = 101", `"101" of FILE:2` + percent},
		{"sync", "max_removal_percent = 0.2", `"0.2" of FILE:2` + percent},
		{"sync", "default_hours = 25", `"25" of FILE:2` + hours},
		{"sync", "default_hours = 24.5", `"24.5" of FILE:2` + hours},
		{"sync", "default_hours = -1", `"-1" of FILE:2` + hours},
		{"sync", "default_hours = 1/4", `"1/4" of FILE:2` + hours},
		{"sync", "default_hours = 0.3333", `"0.3333" of FILE:2` + hours + ", that make whole seconds"},
		{"rest", "seed_keys_only = ja", `"ja" of FILE:2` + truth},
		{"rest", "ticket_days = 0", `"0" of FILE:2` + whole + "1 to 36500"},
		{"log", "level = loud", `"loud" of FILE:2 must be debug, info, warn or error`},
		{"log", "format = xml", `"xml" of FILE:2 must be text or json`},
	} {
		t.Run(test.section+" "+test.line, func(t *testing.T) {
			src := hub(t, "["+test.section+"]\n"+test.line+"\n", "")
			_, _, err := Load(src)
			if err == nil {
				t.Fatal("it is accepted")
			}
			key, _, _ := strings.Cut(test.line, " ")
			got := strings.ReplaceAll(err.Error(), src.WorkDir+"/instance/codex.conf", "FILE")
			if want := "[" + test.section + "] " + key + ": " + test.want; got != want {
				t.Errorf("error\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestABadDattoValueComesWithWhatTheSectionLacks(t *testing.T) {
	for _, test := range []struct{ name, conf, want string }{
		{"one of three", "[datto]\npublic_key = p\n", `[datto] api_endpoint: is missing in FILE: [datto] needs api_endpoint, public_key, secret_key; without any key of it that feed is off
[datto] secret_key: is missing in FILE: [datto] needs api_endpoint, public_key, secret_key; without any key of it that feed is off`},
		{"an account without its Core", "[keycloak]\nserver_url = http://k\nclient_id = c\nusername = u\npassword = p\n", `[core] url: is missing in FILE: the account of [keycloak] needs a Core, which exchanges its login for a token`},
		{"an account without a password", "[core]\nurl = http://c\n[keycloak]\nserver_url = http://k\nclient_id = c\nusername = u\n", `[keycloak] password: is missing in FILE: [keycloak] needs server_url, client_id, username, password; without any key of it Ledger is asked as a service, or as the person who starts a run`},
		{"two of three", "[datto]\napi_endpoint = d.example\npublic_key = p\nsecret_key =\n", `[datto] secret_key: is missing in FILE: [datto] needs api_endpoint, public_key, secret_key; without any key of it that feed is off`},
		{"numbers out of range", "[datto]\napi_endpoint = d.example\npublic_key = p\nsecret_key = s\nbackup_udf = 0\nadministrators_udf = udf4\ndevice_type_udf = 301\n",
			`[datto] backup_udf: "0" of FILE:5 must be a whole number from 1 to 300
[datto] administrators_udf: "udf4" of FILE:6 must be a whole number from 1 to 300
[datto] device_type_udf: "301" of FILE:7 must be a whole number from 1 to 300`},
		{"a secret of two lines", "[datto]\napi_endpoint = d.example\npublic_key = p\nsecret_key = hunter2\n hunter2\n",
			`[datto] secret_key: the value of FILE:4 must be one line of plain text`},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := hub(t, test.conf, "")
			_, _, err := Load(src)
			if err == nil {
				t.Fatal("it is accepted")
			}
			if got := strings.ReplaceAll(err.Error(), src.WorkDir+"/instance/codex.conf", "FILE"); got != test.want {
				t.Errorf("error\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestErrorsNameOtherPlacesThanTheFile(t *testing.T) {
	for _, test := range []struct {
		name, conf, dotenv string
		env                map[string]string
		want               string
	}{
		{"the environment", "", "", map[string]string{"CODEX_REST_TICKET_DAYS": "x"},
			`[rest] ticket_days: "x" of CODEX_REST_TICKET_DAYS in the environment must be a whole number from 1 to 36500`},
		{".flaskenv", "", "SERVICE_PORT=http\n", nil,
			`[server] listen: "http" of SERVICE_PORT in DIR/.flaskenv must be an address and port such as 127.0.0.1:5001, or a port alone`},
		{"a .flaskenv that cannot be read", "", "hunter2\n", nil,
			`DIR/.flaskenv cannot be read: its lines must be NAME=value`},
		{"a file that is no INI file", "hunter2\n", "", nil,
			`DIR/instance/codex.conf:1 stands before the first section: begin the file with a line such as [database]`},
		{"two lines that are nothing", "[core]\nhunter2\nhunter2\n", "", nil,
			"DIR/instance/codex.conf:2 has neither = nor : and is neither a [section] nor a comment: write key = value\n" +
				"DIR/instance/codex.conf:3 has neither = nor : and is neither a [section] nor a comment: write key = value"},
		{"a status that is closed and open", "[freshservice]\napi_key = k\ndomain = d\nclosed_statuses = 16\nopen_statuses = 6, 16\n", "", nil,
			`[freshservice] open_statuses: status 16 of DIR/instance/codex.conf:5 is closed already, as 5 and closed_statuses are: remove it from one`},
		{"closed itself as open", "[freshservice]\napi_key = k\ndomain = d\nopen_statuses = 5\n", "", nil,
			`[freshservice] open_statuses: status 5 of DIR/instance/codex.conf:4 is closed already, as 5 and closed_statuses are: remove it from one`},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := hub(t, test.conf, test.dotenv)
			src.Env = test.env
			_, _, err := Load(src)
			if err == nil {
				t.Fatal("it is accepted")
			}
			if got := strings.ReplaceAll(err.Error(), src.WorkDir, "DIR"); got != test.want {
				t.Errorf("error\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestWhereCheckpointsGoIsShownWithoutWhatMayBeSecret(t *testing.T) {
	for publish, want := range map[string]string{
		"https://h.example/in/hunter2":  "publish = https://h.example/***",
		"https://h.example?key=hunter2": "publish = https://h.example/***",
		"https://h.example:8443":        "publish = https://h.example:8443",
		"/mnt/elsewhere/checkpoint":     "publish = /mnt/elsewhere/checkpoint",
	} {
		c, _, err := Load(hub(t, "[archive]\npublish = "+publish+"\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		var shown strings.Builder
		if err := c.Effective(&shown); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(shown.String(), "\n"+want+"\n") || strings.Contains(shown.String(), "hunter2") {
			t.Errorf("%s is shown as\n%s", publish, shown.String())
		}
	}
}

func TestAGoodValueIsReadExactly(t *testing.T) {
	for _, test := range []struct {
		section, line string
		got           func(c *Config) any
		want          any
	}{
		{"sync", "default_hours = 0.25", func(c *Config) any { return c.Sync.DefaultHours }, codex.Seconds(900)},
		{"sync", "default_hours = 0.10", func(c *Config) any { return c.Sync.DefaultHours }, codex.Seconds(360)},
		{"sync", "default_hours = 0", func(c *Config) any { return c.Sync.DefaultHours }, codex.Seconds(0)},
		{"sync", "default_hours = 24.0", func(c *Config) any { return c.Sync.DefaultHours }, codex.Seconds(86400)},
		{"sync", "max_removal_percent = 30 %", func(c *Config) any { return c.Sync.MaxRemovalPercent }, 30},
		{"server", "listen = 8080", func(c *Config) any { return c.Server.Listen }, "127.0.0.1:8080"},
		{"server", "listen = 0", func(c *Config) any { return c.Server.Listen }, "127.0.0.1:0"},
		{"server", "listen = :8080", func(c *Config) any { return c.Server.Listen }, ":8080"},
		{"server", "listen = [::1]:8080", func(c *Config) any { return c.Server.Listen }, "[::1]:8080"},
		{"server", "listen = hub.example:8080", func(c *Config) any { return c.Server.Listen }, "hub.example:8080"},
		{"core", "url = core.example/", func(c *Config) any { return c.Core.URL }, "https://core.example"},
		{"core", "url = http://127.0.0.1:5000/core/", func(c *Config) any { return c.Core.URL }, "http://127.0.0.1:5000/core"},
		{"core", "check_revocation = Yes", func(c *Config) any { return c.Core.CheckRevocation }, true},
		{"scheduler", "enabled = OFF", func(c *Config) any { return c.Scheduler.Enabled }, false},
		{"scheduler", "timezone = America/New_York", func(c *Config) any { return c.Scheduler.Timezone.String() }, "America/New_York"},
		{"scheduler", "datto = */15  6-18 * *\tmon-fri", func(c *Config) any { return c.Scheduler.Datto }, Cron("*/15 6-18 * * mon-fri")},
		{"scheduler", "datto = @daily", func(c *Config) any { return c.Scheduler.Datto }, Cron("@daily")},
		{"scheduler", "datto = 0 0 29 2 *", func(c *Config) any { return c.Scheduler.Datto }, Cron("0 0 29 2 *")},
		{"auth", "service_addresses = 127.0.0.1, ::1 10.20.3.4/16, ::ffff:10.0.0.9", func(c *Config) any { return c.Auth.ServiceAddresses }, []netip.Prefix{
			netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("10.0.0.9/32")}},
		{"auth", "sync_services = ledger, beacon\n ledger", func(c *Config) any { return c.Auth.SyncServices }, []string{"ledger", "beacon"}},
		{"freshservice", "api_key = k\ndomain = http://127.0.0.1:9001/fs\nweb_domain = help.acme.example",
			func(c *Config) any { return []string{c.Freshservice.URL, c.Freshservice.WebURL} },
			[]string{"http://127.0.0.1:9001/fs", "https://help.acme.example"}},
		{"freshservice", "api_key = k\ndomain = d.example\nworkspaces = 0", func(c *Config) any { return c.Freshservice.Workspaces }, []int64{0}},
		{"freshservice", "api_key = k\ndomain = d.example\nclosed_statuses = 16,4 , 16", func(c *Config) any { return c.Freshservice.ClosedStatuses }, []int{16, 4}},
		{"archive", "publish = https://h.example/in/?key=a%2Fb", func(c *Config) any { return c.Archive.Publish }, "https://h.example/in/?key=a%2Fb"},
		{"archive", "publish = http://h.example:8080/in/", func(c *Config) any { return c.Archive.Publish }, "http://h.example:8080/in/"},
		{"archive", "publish = /mnt/codex.checkpoint", func(c *Config) any { return c.Archive.Publish }, "/mnt/codex.checkpoint"},
		{"archive", "key_file = /etc/codex/archive.key", func(c *Config) any { return c.Archive.CheckpointFile }, "/etc/codex/archive.checkpoint"},
		{"archive", "checkpoint_file = /mnt/shared/archive.checkpoint", func(c *Config) any { return c.Archive.CheckpointFile }, "/mnt/shared/archive.checkpoint"},
		{"log", "format = JSON", func(c *Config) any { return c.Log.Format }, "json"},
	} {
		t.Run(test.section+" "+test.line, func(t *testing.T) {
			cfg, warnings, err := Load(hub(t, "["+test.section+"]\n"+test.line+"\n", ""))
			if err != nil || len(warnings) > 0 {
				t.Fatalf("error %v, warnings %v", err, warnings)
			}
			if got := test.got(cfg); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}
