package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// post sends question as JSON and reads the answer into answer, which complete then looks at. It asks
// once: somebody is waiting, and can ask again.
func (c *Client) post(ctx context.Context, path string, question, answer any, complete func() error) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("writing a question to Core: %w", err)
	}
	_, err = c.api.Do(ctx, transport.Request{
		Path: path, JSON: body, Tries: 1,
		Check: func(body []byte) error {
			if err := json.Unmarshal(body, answer); err != nil {
				return err
			}
			return complete()
		},
	})
	return err
}

// askToken gives the token that Core answers question with.
func (c *Client) askToken(ctx context.Context, path string, question map[string]string) (codex.Secret, error) {
	var answer struct {
		Token string `json:"token"`
	}
	err := c.post(ctx, path, question, &answer, func() error {
		if answer.Token == "" {
			return errors.New(`no "token"`)
		}
		return nil
	})
	return codex.Secret(answer.Token), err
}
