package httpd

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hivematrix/codex/rest"
)

// gzipSuffix makes of the entity tag of an answer the one of its gzip form: to a strong validator they
// are two representations (RFC 9110, section 8.8.3.3). No tag of ours ends so by itself.
const gzipSuffix = "-gzip"

// codings is which content codings a caller takes.
type codings struct {
	gzip     bool // takes it, and likes nothing better that we have
	identity bool // takes an answer without one
}

// codingsOf reads Accept-Encoding (RFC 9110, section 12.5.3). Who sends none takes all, but has not asked
// for gzip, which many then cannot read.
//
// Gzip is all that we have, also where a caller takes zstd or br: the gateway forwards the header and
// drops Content-Encoding from the answer, which only gzip survives, since it undoes that by itself.
func codingsOf(header http.Header) codings {
	quality := map[string]float64{}
	for element := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		name, parameter, weighted := strings.Cut(element, ";")
		name = strings.ToLower(strings.Trim(name, " \t"))
		if name == "x-gzip" {
			name = "gzip"
		}
		q, ok := 1.0, name != ""
		if weighted {
			q, ok = weight(parameter)
		}
		if ok {
			quality[name] = q
		}
	}
	of := func(name string) (q float64, given bool) {
		if q, given = quality[name]; !given {
			q, given = quality["*"]
		}
		return q, given
	}
	gzip, _ := of("gzip")
	identity, given := of("identity")
	if !given {
		return codings{gzip: gzip > 0, identity: true}
	}
	_, named := quality["identity"] // an asterisk likes neither better
	return codings{gzip: gzip > 0 && (!named || gzip >= identity), identity: identity > 0}
}

// weight reads q=0.5; what is none says nothing.
func weight(parameter string) (float64, bool) {
	name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
	if !strings.EqualFold(name, "q") || value == "" || strings.Trim(value, "0123456789.") != "" {
		return 0, false
	}
	q, err := strconv.ParseFloat(value, 64)
	return q, err == nil && q <= 1
}

// worthwhile tells the types of answers that gzip makes smaller. A stream of events is none: each event
// has to leave at once.
func worthwhile(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && slices.Contains([]string{
		"application/json", "application/graphql-response+json",
		"text/html", "text/css", "text/javascript", "image/svg+xml", "application/wasm", "font/ttf",
	}, kind)
}

// withoutSuffixes is r as it is asked of those who know no codings: If-None-Match has the tags of answers
// in a coding that the caller still takes, without the suffix. plain are those that had none.
func withoutSuffixes(r *http.Request, takes codings) (asked *http.Request, plain []string) {
	if r.Header.Values("If-None-Match") == nil {
		return r, nil
	}
	var tags []string
	for _, tag := range rest.EntityTags(r.Header.Values("If-None-Match")) {
		bare, zipped := strings.CutSuffix(tag, gzipSuffix+`"`)
		switch {
		case tag == "*":
			tags = append(tags, tag)
		case zipped && takes.gzip:
			tags = append(tags, bare+`"`)
		case !zipped && takes.identity:
			plain, tags = append(plain, strong(tag)), append(tags, tag)
		}
	}
	changed := *r
	changed.Header = r.Header.Clone()
	changed.Header.Set("If-None-Match", strings.Join(tags, ", "))
	return &changed, plain
}

func strong(tag string) string { return strings.TrimPrefix(tag, "W/") }

// suffixed is the tag of the gzip form of the answer that has tag.
func suffixed(tag string) string {
	bare, quoted := strings.CutSuffix(tag, `"`)
	if !quoted {
		return tag
	}
	return bare + gzipSuffix + `"`
}
