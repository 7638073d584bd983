package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
)

const (
	fileKind  = "c2sp.org/tlog-proof@v1" // first line of the file
	extraKind = "codex-proof/v1"         // first line of its extra data

	// MaxFileBytes bounds what is read as an exported proof: it may enclose a bill's contents.
	MaxFileBytes = 64 << 20
	// maxContentBytes is more than ever fits: base64 of base64 takes 16 bytes for 9.
	maxContentBytes = MaxFileBytes * 9 / 16
	// maxHashes is how many hashes a proof may have: a tree that took more cannot exist.
	maxHashes = 63
)

// File is an exported proof: one leaf, and all that it takes to find it in a signed log checkpoint,
// offline. It is written as a C2SP tlog-proof with the leaf and the openings of its commitments in
// the extra data; files are called *.tlog-proof.
type File struct {
	Leaf       []byte
	Index      int64
	Inclusion  []Hash // from the leaf's sibling up
	Checkpoint []byte // the signed note, verbatim
	Openings   map[Committed]Opening
}

// Opening is what a commitment opens with. Content is what was committed to, or nil where it is not
// enclosed: whoever holds it, as a customer does the CSV, can still show it.
type Opening struct {
	Salt    Salt
	Content []byte
}

// Encode writes the file, or says with a *codex.Error why it would not be read back.
func (f File) Encode() ([]byte, error) {
	if _, err := DecodeLeaf(f.Leaf); err != nil {
		return nil, codex.Wrap(codex.CodeBadInput, err, "the leaf is none")
	}
	checkpoint, _, err := splitCheckpoint(f.Checkpoint)
	if err != nil {
		return nil, codex.Wrap(codex.CodeBadInput, err, "the log checkpoint is none")
	}
	if f.Index < 0 || f.Index >= checkpoint.Size {
		return nil, codex.BadInput("index", "there is no leaf %d in a tree of %d", f.Index, checkpoint.Size)
	}
	if len(f.Inclusion) > maxHashes {
		return nil, codex.BadInput("inclusion", "it has more than %d hashes", maxHashes)
	}
	openings := make(members, len(f.Openings))
	for name, opening := range f.Openings {
		if !isCommitted(name) {
			return nil, codex.BadInput("openings", "there is no content %q", name)
		}
		if len(opening.Content) > maxContentBytes {
			return nil, codex.BadInput("openings", "%s has more than %d bytes", name, maxContentBytes)
		}
		content := jsonNull
		if opening.Content != nil {
			content = quote(base64.StdEncoding.EncodeToString(opening.Content))
		}
		openings[string(name)] = object(members{"content": content, "salt": quote(opening.Salt.String())})
	}
	hash := LeafHash(f.Leaf)
	extra := extraKind + "\n" + object(members{
		"leaf":      quote(string(f.Leaf)),
		"leaf_hash": quote(hex.EncodeToString(hash[:])),
		"openings":  object(openings),
	}) + "\n"

	var b bytes.Buffer
	b.WriteString(fileKind + "\n")
	b.WriteString("extra " + base64.StdEncoding.EncodeToString([]byte(extra)) + "\n")
	b.WriteString("index " + strconv.FormatInt(f.Index, 10) + "\n")
	writeHashes(&b, f.Inclusion)
	b.WriteString("\n")
	b.Write(f.Checkpoint)
	if b.Len() > MaxFileBytes {
		return nil, codex.BadInput("openings", "the file would have more than %d bytes", MaxFileBytes)
	}
	return b.Bytes(), nil
}

func writeHashes(b *bytes.Buffer, hashes []Hash) {
	for _, hash := range hashes {
		b.WriteString(hash.String() + "\n")
	}
}

// DecodeFile reads an exported proof and verifies nothing but its form: bytes that [File.Encode]
// would not give back are refused. The error is an [*Error] of [PartFile], [PartLeaf] or
// [PartCheckpoint].
func DecodeFile(text []byte) (File, error) {
	if len(text) > MaxFileBytes {
		return File{}, fail(PartFile, "an exported proof has at most %d bytes", MaxFileBytes)
	}
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != fileKind {
		return File{}, fail(PartFile, "it is no %s", fileKind)
	}
	encoded, isExtra := strings.CutPrefix(lines[1], "extra ")
	extra, err := base64.StdEncoding.DecodeString(encoded)
	if !isExtra || err != nil {
		return File{}, fail(PartFile, "its second line is not its extra data")
	}
	number, isIndex := strings.CutPrefix(lines[2], "index ")
	index, err := strconv.ParseInt(number, 10, 64)
	if !isIndex || err != nil {
		return File{}, fail(PartFile, "its third line is not the leaf's index")
	}
	hashes, err := parseHashes(lines[3:])
	if err != nil {
		return File{}, err
	}
	file := File{Index: index, Inclusion: hashes, Checkpoint: checkpoint}
	if err := file.decodeExtra(string(extra)); err != nil {
		return File{}, err
	}
	if _, err := DecodeLeaf(file.Leaf); err != nil {
		return File{}, err
	}
	if _, _, err := splitCheckpoint(checkpoint); err != nil {
		return File{}, err
	}
	again, err := file.Encode()
	if err != nil {
		return File{}, &Error{Part: PartFile, Message: "it could not have been exported", Err: err}
	}
	if !bytes.Equal(again, text) {
		return File{}, fail(PartFile, "it is not in canonical form")
	}
	return file, nil
}

func parseHashes(lines []string) ([]Hash, error) {
	if len(lines) > maxHashes {
		return nil, fail(PartFile, "it has more than %d hashes", maxHashes)
	}
	hashes := make([]Hash, len(lines))
	for i, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, fail(PartFile, "one of its hashes cannot be read")
		}
		hashes[i] = hash
	}
	return hashes, nil
}

// decodeExtra reads leaf and openings, and sees whether the leaf is still the one that was exported.
// Its hash beside it proves nothing, anybody can compute it: it tells an altered leaf from a proof
// for another tree, which the Merkle hashes alone cannot.
func (f *File) decodeExtra(text string) error {
	var fields struct {
		Leaf     string `json:"leaf"`
		LeafHash string `json:"leaf_hash"`
		Openings map[Committed]struct {
			Content *string `json:"content"`
			Salt    string  `json:"salt"`
		} `json:"openings"`
	}
	first, rest, _ := strings.Cut(text, "\n")
	if first != extraKind {
		return fail(PartFile, "its extra data are no %s", extraKind)
	}
	if err := json.Unmarshal([]byte(rest), &fields); err != nil {
		return &Error{Part: PartFile, Message: "its extra data cannot be read", Err: err}
	}
	f.Leaf = []byte(fields.Leaf)
	if hash := LeafHash(f.Leaf); hex.EncodeToString(hash[:]) != fields.LeafHash {
		return fail(PartLeaf, "it is not the leaf that was exported: its hash is %x", hash)
	}
	f.Openings = make(map[Committed]Opening, len(fields.Openings))
	for name, opening := range fields.Openings {
		salt, err := ParseSalt(opening.Salt)
		if err != nil {
			return &Error{Part: PartCommitment, Committed: name, Message: "its salt cannot be read", Err: err}
		}
		var content []byte
		if opening.Content != nil {
			if content, err = base64.StdEncoding.DecodeString(*opening.Content); err != nil {
				return &Error{Part: PartCommitment, Committed: name, Message: "its content cannot be read", Err: err}
			}
		}
		f.Openings[name] = Opening{Salt: salt, Content: content}
	}
	return nil
}
