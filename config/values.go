package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines, and in containers, that have no zoneinfo
	"unicode"
	"unicode/utf8"

	"github.com/robfig/cron/v3"

	"github.com/hivematrix/codex"
)

// How a text becomes a value. The errors here say what is asked for, in words that follow "must
// be"; who calls adds which key it is and where, and shows the text unless it is secret.

// value is where a key's text goes and how it is read.
type value interface {
	set(text string) error
	target() any // the field's address, for the test that holds comments to documentation
}

type field[T any] struct {
	to   *T
	read func(text string) (T, error)
}

func into[T any](to *T, read func(text string) (T, error)) value { return field[T]{to, read} }

func (f field[T]) set(text string) error {
	v, err := f.read(text)
	if err != nil {
		return err
	}
	*f.to = v
	return nil
}

func (f field[T]) target() any { return f.to }

func readText(text string) (string, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errors.New("one line of plain text")
	}
	return text, nil
}

func readSecret(text string) (codex.Secret, error) {
	plain, err := readText(text)
	return codex.Secret(plain), err
}

// minWebhookSecret is how many characters a webhook's secret has at least: nothing but it keeps
// strangers out.
const minWebhookSecret = 16

// readWebhookSecret takes what may travel as the value of an HTTP header and is too long to guess.
func readWebhookSecret(text string) (codex.Secret, error) {
	plain, err := readText(text)
	if err != nil {
		return "", err
	}
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(plain) < minWebhookSecret || strings.ContainsFunc(plain, unprintable) {
		return "", errors.New("at least 16 printable ASCII characters without blanks, such as openssl rand -hex 32 prints")
	}
	return codex.Secret(plain), nil
}

// readBool takes what Python's getboolean took.
func readBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, errors.New("true or false")
}

func readInt(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("a whole number from %d to %d", least, most)
		}
		return n, nil
	}
}

// readSeconds takes a whole number of seconds.
func readSeconds(least, most int) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		n, err := readInt(least, most)(text)
		if err != nil {
			return 0, fmt.Errorf("a whole number of seconds from %d to %d", least, most)
		}
		return time.Duration(n) * time.Second, nil
	}
}

// readEvery takes how often something is done: hours or minutes, or 0 for never.
func readEvery(text string) (time.Duration, error) {
	every, err := time.ParseDuration(text)
	if err != nil || every != 0 && every < time.Minute || every > 366*24*time.Hour {
		return 0, errors.New("hours or minutes such as 24h or 90m, or 0 for never")
	}
	return every, nil
}

// readList takes items that commas or white space separate, lines of a continued value too.
func readList[T comparable](of string, item func(string) (T, error)) func(string) ([]T, error) {
	return func(text string) ([]T, error) {
		list := []T{}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || isSpace(r) }) {
			v, err := item(word)
			if err != nil {
				return nil, fmt.Errorf("%s, separated by commas", of)
			}
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		return list, nil
	}
}

func readStatuses(text string) ([]int, error) {
	return readList("numbers of ticket statuses", readInt(1, 1_000_000))(text)
}

func readWorkspaces(text string) ([]int64, error) {
	list, err := readList("ids of workspaces", func(word string) (int64, error) {
		id, err := strconv.ParseUint(word, 10, 63)
		return int64(id), err
	})(text)
	if err == nil && len(list) > 1 && slices.Contains(list, 0) {
		return nil, errors.New("0 alone, for all workspaces, or the ids of some")
	}
	return list, err
}

func readServiceName(text string) (string, error) {
	// What Core's /service-token accepts (docs/compatibility.md, "Authentication").
	if !regexp.MustCompile(`^[a-z0-9_-]{1,50}$`).MatchString(text) {
		return "", errors.New("a service's name: at most 50 of a-z, 0-9, _ and -")
	}
	return text, nil
}

// readNetwork takes a network, 10.20.0.0/16, or one address.
func readNetwork(text string) (netip.Prefix, error) {
	address, err := netip.ParseAddr(text)
	if err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("an address or a network such as 10.20.0.0/16")
	}
	return network.Masked(), nil
}

// readURL takes an address of http or https, and a bare host as https. Neither user nor password
// may stand in it, for addresses are shown.
func readURL(text string) (string, error) {
	const asked = "an address such as https://host.example or host.example"
	full := text
	if !strings.Contains(text, "://") {
		full = "https://" + text
	}
	u, err := url.Parse(full)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" ||
		strings.ContainsFunc(full, isSpace) {
		return "", errors.New(asked)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New(asked + ", by http or https")
	}
	if u.User != nil {
		return "", errors.New(asked + ", without a user or password in it")
	}
	if port := u.Port(); port != "" && !validPort(port) {
		return "", errors.New(asked + ", its port from 1 to 65535")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// readPath takes the path of a file, which begins at folder where it is relative.
func readPath(text, folder string) (string, error) {
	path, err := readText(text)
	if err != nil || strings.HasSuffix(path, "/") {
		return "", errors.New("the path of a file")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	return filepath.Clean(path), nil
}

// readPublish takes an address of http or https, or the path of a file. What follows the address's host
// stays as it is, a query and a slash at its end too: receivers may know us by nothing but that.
func readPublish(text, folder string) (string, error) {
	if !strings.Contains(text, "://") {
		return readPath(text, folder)
	}
	address, _, _ := strings.Cut(text, "?")
	if _, err := readURL(address); err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Fragment != "" || strings.ContainsFunc(text, isSpace) {
		return "", errors.New("an address such as https://host.example/path?key=secret")
	}
	return u.String(), nil
}

// readHook takes the address of a webhook: all of it is handed on as it is, since receivers may know us by
// nothing but that.
func readHook(text string) (string, error) {
	if !strings.Contains(text, "://") {
		return "", errors.New("an address such as https://host.example/path?key=secret, by http or https")
	}
	return readPublish(text, "")
}

// maskPublish is where checkpoints go without what may be secret of it.
func maskPublish(text string) string {
	u, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") || u.Path == "" && u.RawQuery == "" {
		return text
	}
	return u.Scheme + "://" + u.Host + "/***"
}

// readOrigin takes the name of a log, as C2SP's signed notes want it (archive/proof.CheckOrigin).
func readOrigin(text string) (string, error) {
	outside := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' }
	if strings.ContainsFunc(text, outside) || !utf8.ValidString(text) || regexp.MustCompile(`/epoch-[0-9]*$`).MatchString(text) {
		return "", errors.New("a name such as codex.example.com/archive: without blanks and +, and without /epoch- and digits at its end")
	}
	return text, nil
}

// readListen takes address:port, or a port alone, which is then on the loopback interface. Port 0
// is any free one.
func readListen(text string) (string, error) {
	asked := errors.New("an address and port such as 127.0.0.1:5001, or a port alone")
	if validPort(text) || text == "0" {
		return net.JoinHostPort("127.0.0.1", text), nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsFunc(host, isSpace) || !validPort(port) && port != "0" {
		return "", asked
	}
	return net.JoinHostPort(host, port), nil
}

func validPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func readZone(text string) (*time.Location, error) {
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, errors.New("a time zone by its IANA name, such as UTC or Europe/Berlin")
	}
	return zone, nil
}

func readCron(text string) (Cron, error) {
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return "", errors.New("a schedule of five fields: minute, hour, day of month, month, day of week, " +
			"such as 0 2 * * *")
	}
	// 31 February parses and never comes. Next looks five years ahead, so it is asked from a leap
	// year's start, lest 29 February seem never to come around 2100.
	if schedule.Next(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return "", errors.New("a schedule with a time that ever comes")
	}
	return Cron(strings.Join(strings.Fields(text), " ")), nil
}

// readHours takes a decimal number of hours that is a whole number of seconds.
func readHours(text string) (codex.Seconds, error) {
	const asked = "hours as a decimal number from 0 to 24, such as 0.25"
	if !regexp.MustCompile(`^[0-9]{1,2}(\.[0-9]{1,12})?$`).MatchString(text) {
		return 0, errors.New(asked)
	}
	hours, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, errors.New(asked)
	}
	seconds := hours.Mul(hours, big.NewRat(3600, 1))
	if !seconds.IsInt() {
		return 0, errors.New(asked + ", that make whole seconds")
	}
	if seconds.Cmp(big.NewRat(24*3600, 1)) > 0 {
		return 0, errors.New(asked)
	}
	return codex.Seconds(seconds.Num().Int64()), nil
}

func readPercent(text string) (int, error) {
	n, err := readInt(0, 100)(strings.TrimRightFunc(strings.TrimSuffix(text, "%"), isSpace))
	if err != nil {
		return 0, errors.New("a whole percentage from 0 to 100")
	}
	return n, nil
}

// readLevel takes slog's names and Python's, which LOG_LEVEL of existing installations has.
func readLevel(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error", "critical":
		return slog.LevelError, nil
	}
	return 0, errors.New("debug, info, warn or error")
}

func readOneOf(names ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if name := strings.ToLower(text); slices.Contains(names, name) {
			return name, nil
		}
		return "", errors.New(strings.Join(names, " or "))
	}
}
