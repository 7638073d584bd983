package resolvers

import (
	"context"
	"encoding/json"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/notify"
)

type (
	notificationResolver           struct{ *resolver }
	notificationConnectionResolver struct{ *resolver }
	logVerificationResolver        struct{ *resolver }
)

func (r *resolver) Notification() exec.NotificationResolver { return notificationResolver{r} }
func (r *resolver) NotificationConnection() exec.NotificationConnectionResolver {
	return notificationConnectionResolver{r}
}
func (r *resolver) LogVerification() exec.LogVerificationResolver { return logVerificationResolver{r} }

// Notifier tells people, and tries to.
type Notifier interface {
	Redeliver(ctx context.Context, id string) (*ent.Notification, error)
	Try(ctx context.Context, by codex.Caller) (*notify.Tried, error)
}

// Verifications are what was found when the log verified itself.
type Verifications interface {
	Last(ctx context.Context) (*ent.LogVerification, error)
}

var _ Notifier = (*notify.Notifier)(nil)

func (r queryResolver) Notifications(ctx context.Context, first *int, after *string, delivered *bool) (*model.NotificationConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	all := delivered != nil && *delivered
	page, err := r.reader.Notifications(ctx, asked, all)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.NotificationEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.NotificationEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.NotificationConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), Delivered: all}, nil
}

func (r notificationConnectionResolver) TotalCount(ctx context.Context, c *model.NotificationConnection) (int, error) {
	return r.reader.CountNotifications(ctx, c.Delivered)
}

func (r notificationResolver) Body(_ context.Context, n *ent.Notification) (any, error) {
	return json.RawMessage(n.Body), nil
}

func (r mutationResolver) RedeliverNotification(ctx context.Context, id string) (*model.RedeliverNotificationPayload, error) {
	row, err := r.notifier.Redeliver(ctx, id)
	if err != nil {
		return nil, err
	}
	return &model.RedeliverNotificationPayload{Notification: row}, nil
}

func (r mutationResolver) TestNotification(ctx context.Context) (*model.TestNotificationPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	tried, err := r.notifier.Try(ctx, caller)
	if err != nil {
		return nil, err
	}
	payload := &model.TestNotificationPayload{ID: tried.ID, Delivered: tried.Delivered, Message: tried.Message}
	if tried.Status != 0 {
		payload.Status = &tried.Status
	}
	return payload, nil
}

func (r queryResolver) LogVerification(ctx context.Context) (*ent.LogVerification, error) {
	return r.verifications.Last(ctx)
}

func (r logVerificationResolver) Findings(_ context.Context, v *ent.LogVerification) ([]string, error) {
	findings := []string{}
	if err := json.Unmarshal([]byte(v.Findings), &findings); err != nil {
		return nil, codex.Wrap(codex.CodeInternal, err, "what a verification has found cannot be read")
	}
	return findings, nil
}
