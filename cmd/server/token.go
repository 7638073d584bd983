package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

func (p *program) tokenCommand() *cobra.Command {
	return group("token", "Create, list and revoke local tokens",
		"  codex token create --name dashboard --role technician\n  codex token list\n  codex token revoke dashboard",
		p.tokenCreateCommand(), p.tokenListCommand(), p.tokenRevokeCommand())
}

// localToken is a token as GraphQL has it.
type localToken struct {
	Name       string     `json:"name"`
	Role       codex.Role `json:"role"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// UnmarshalJSON reads GraphQL's keys; --json writes the tags above.
func (t *localToken) UnmarshalJSON(text []byte) error {
	var got struct {
		Name, Role, CreatedBy            string
		CreatedAt                        time.Time
		ExpiresAt, LastUsedAt, RevokedAt *time.Time
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	*t = localToken{got.Name, codex.Role(strings.ToLower(got.Role)), got.CreatedAt, got.CreatedBy, got.ExpiresAt, got.LastUsedAt, got.RevokedAt}
	return nil
}

const tokenFields = `{ name role createdAt createdBy expiresAt lastUsedAt revokedAt }`

// withHub loads the configuration and has fn ask a running serve, or an app in this process.
func (p *program) withHub(ctx context.Context, fn func(*hub) error) (err error) {
	c, _, err := p.load()
	if err != nil {
		return err
	}
	hub, err := p.openHub(ctx, c, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	return asTyped(fn(hub))
}

// asTyped names what an error of the hub is about as the command line does: GraphQL's argument as the
// flag, and not at all where it stands bare behind the verb.
func asTyped(err error) error {
	coded, ok := err.(*codex.Error) //nolint:errorlint // what wraps it has words of its own
	if !ok || coded.Field == "" {
		return err
	}
	typed := *coded
	typed.Field = map[string]string{
		"reason": "--reason", "expiresAt": "--expires", "note": "--note", "dayOfMonth": "--day", "hour": "--hour", "accountNumbers": "--accounts",
	}[coded.Field]
	return &typed
}

func (p *program) tokenCreateCommand() *cobra.Command {
	var name, role, expires string
	cmd := &cobra.Command{
		Use:   "create --name NAME --role ROLE",
		Short: "Create a token and print it, alone, on standard output",
		Long: "Creates a local token. It is printed this once: the hub keeps only what it takes to know it\n" +
			"again. Roles are admin, billing, technician and service (a program: reads, starts syncs,\n" +
			"accepts bills).",
		Example: "  codex token create --name ledger --role service\n" +
			"  codex token create --name audit --role billing --expires 30d\n" +
			"  codex token create --name visitor --role technician --expires 2027-01-31",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" || role == "" {
				return usageError("codex token create needs --name and --role")
			}
			parsed, err := codex.ParseRole(role)
			if err != nil {
				return usageError("--role is admin, billing, technician or service, not %q", role)
			}
			input := map[string]any{"name": name, "role": strings.ToUpper(string(parsed))}
			if expires != "" {
				at, err := parseExpiry(expires, p.now())
				if err != nil {
					return err
				}
				input["expiresAt"] = at
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				secret, err := hub.createToken(cmd.Context(), input)
				if codex.CodeOf(err) == codex.CodeBadInput {
					return usageError("%w", asTyped(err))
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(p.stdout, secret.Reveal())
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&name, "name", "", "the token's `name`: letters, digits, dots, dashes, underscores; given once for ever")
	cmd.Flags().StringVar(&role, "role", "", "what it allows: admin, billing, technician or service")
	cmd.Flags().StringVar(&expires, "expires", "", "when it ceases to be good: in so many days or hours (`30d`, 12h), or a date")
	return cmd
}

// createToken creates a token and gives the secret.
func (h *hub) createToken(ctx context.Context, input map[string]any) (codex.Secret, error) {
	var answer struct{ CreateToken struct{ Secret codex.Secret } }
	err := h.ask(ctx, `mutation($input: CreateTokenInput!) { createToken(input: $input) { secret } }`,
		map[string]any{"input": input}, &answer)
	return answer.CreateToken.Secret, err
}

// parseExpiry reads when a token ceases to be good: days or hours from now, an instant in RFC 3339,
// or a date, which is its beginning in UTC.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if m := regexp.MustCompile(`^([1-9][0-9]{0,4})([dh])$`).FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return time.Time{}, usageError("--expires: %w", err)
		}
		unit := time.Hour
		if m[2] == "d" {
			unit = 24 * time.Hour
		}
		return now.UTC().Add(time.Duration(n) * unit).Truncate(time.Second), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, usageError("--expires takes days or hours such as 30d or 12h, a date such as 2027-01-31, or an instant in RFC 3339")
}

func (p *program) tokenListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tokens, revoked and expired ones too",
		Example: "  codex token list\n  codex token list --json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				tokens, err := hub.tokens(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return p.printTokensJSON(tokens)
				}
				return p.printTokens(tokens)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func (h *hub) tokens(ctx context.Context) ([]localToken, error) {
	var answer struct{ Tokens []localToken }
	err := h.ask(ctx, `{ tokens `+tokenFields+` }`, nil, &answer)
	return answer.Tokens, err
}

func (p *program) printTokensJSON(tokens []localToken) error {
	if tokens == nil {
		tokens = []localToken{}
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(tokens)
}

func (p *program) printTokens(tokens []localToken) error {
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tROLE\tCREATED\tBY\tLAST USED\tEXPIRES\tREVOKED")
	for _, t := range tokens {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Name, t.Role, shownTime(t.CreatedAt), t.CreatedBy,
			shownTimeOr(t.LastUsedAt, "never"), shownTimeOr(t.ExpiresAt, "never"), shownTimeOr(t.RevokedAt, "-"))
	}
	return table.Flush()
}

func (p *program) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NAME",
		Short:   "Make a token good no longer",
		Long:    "Makes a token good no longer, from the next request on. It stays in the list, and its name\nstays taken.",
		Example: "  codex token revoke dashboard",
		Args:    exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				if err := hub.revokeToken(cmd.Context(), args[0]); err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "revoked %s\n", args[0])
				return nil
			})
		},
	}
}

func (h *hub) revokeToken(ctx context.Context, name string) error {
	var answer struct{}
	return h.ask(ctx, `mutation($name: ID!) { revokeToken(name: $name) { token { name } } }`, map[string]any{"name": name}, &answer)
}
