package resolvers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex"
)

// persistedQuery is the extension of a request by which a query goes by its hash.
const persistedQuery = "persistedQuery"

// codePersistedQueryNotFound, and its message, are what clients know as a reason to send the text.
const codePersistedQueryNotFound codex.Code = "PERSISTED_QUERY_NOT_FOUND"

// persistedQueries are Automatic Persisted Queries as Apollo's and urql's clients have them
// (https://www.apollographql.com/docs/apollo-server/performance/apq): a request has the SHA-256 of a
// query in its place; where that is not known, the client sends both, and may send the hash alone from
// then on. They save upload, and let long queries go by GET. They are no list of what may be asked.
//
// A text is kept under its own hash alone, so that nobody can have others run what they do not mean;
// once it was found good, and not where it is long (cachedQueryBytes). The least recently used goes
// first. Each process keeps its own: another one answers that it does not know, and is told.
//
// findPersisted finds the text of a request that has the hash, keepPersisted keeps it.
type (
	findPersisted struct{ texts *lru.LRU[string] }
	keepPersisted struct{ texts *lru.LRU[string] }
)

var (
	_ graphql.OperationParameterMutator = findPersisted{}
	_ graphql.OperationContextMutator   = keepPersisted{}
)

// ExtensionName implements graphql.HandlerExtension.
func (findPersisted) ExtensionName() string { return "FindPersisted" }

// Validate implements graphql.HandlerExtension.
func (findPersisted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (p findPersisted) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	hash, there, err := persistedHash(params.Extensions)
	switch {
	case err != nil:
		return gqlerror.Wrap(err)
	case !there:
		return nil
	case params.Query != "" && hashOf(params.Query) != hash:
		return gqlerror.Wrap(codex.BadInput(persistedQuery, "sha256Hash is not the SHA-256 of this query, in small hexadecimal letters"))
	case params.Query != "":
		return nil
	}
	if params.Query, there = p.texts.Get(ctx, hash); !there {
		return gqlerror.Wrap(codex.Errorf(codePersistedQueryNotFound, "PersistedQueryNotFound"))
	}
	return nil
}

// ExtensionName implements graphql.HandlerExtension.
func (keepPersisted) ExtensionName() string { return "KeepPersisted" }

// Validate implements graphql.HandlerExtension.
func (keepPersisted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (p keepPersisted) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if hash, there, _ := persistedHash(op.Extensions); there && len(op.RawQuery) <= cachedQueryBytes {
		p.texts.Add(ctx, hash, op.RawQuery)
	}
	return nil
}

// persistedHash reads the extension; there tells whether a request has it.
func persistedHash(extensions map[string]any) (hash string, there bool, err error) {
	given := extensions[persistedQuery]
	if given == nil {
		return "", false, nil
	}
	fields, _ := given.(map[string]any)
	version, _ := fields["version"].(json.Number)
	hash, _ = fields["sha256Hash"].(string)
	if version != "1" || len(hash) != hex.EncodedLen(sha256.Size) {
		return "", true, codex.BadInput(persistedQuery, `it must be {"version": 1, "sha256Hash": "..."}, with 64 hexadecimal letters`)
	}
	return hash, true, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
