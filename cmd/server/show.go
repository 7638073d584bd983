package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// runDetail is what a run keeps beside how it went.
type runDetail struct {
	Mode              codex.RunMode
	Trigger           codex.RunTrigger
	RequestedBy       string
	QueuedAt          time.Time
	HeartbeatAt       *time.Time
	Requests          int
	WaitedMs          int
	Resumed           bool
	Output            string
	CancelRequestedBy *string
	ApprovedBy        *string
	ApprovalReason    *string
	ApprovedAt        *time.Time
	ApprovalRun       *struct{ ID codex.RunID }
}

const detailFields = `{ mode trigger requestedBy queuedAt heartbeatAt requests waitedMs resumed output
	cancelRequestedBy approvedBy approvalReason approvedAt approvalRun { id } }`

// detailed reads a run with its details, both as they were at one moment.
func (h *hub) detailed(ctx context.Context, id codex.RunID) (*syncRun, error) {
	var answer struct {
		SyncRun *syncRun
		Detail  *runDetail
	}
	err := h.ask(ctx, `query($id: ID!) { syncRun(id: $id) `+runFields+` detail: syncRun(id: $id) `+detailFields+` }`,
		map[string]any{"id": id}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.SyncRun == nil || answer.Detail == nil {
		return nil, noRun(id)
	}
	run := answer.SyncRun.own()
	run.Detail = answer.Detail
	run.Detail.Mode = codex.RunMode(strings.ToLower(string(run.Detail.Mode)))
	run.Detail.Trigger = codex.RunTrigger(strings.ToLower(string(run.Detail.Trigger)))
	return run, nil
}

// shown is a run for people, with its details. What was approved is not said to wait for that.
func shown(run *syncRun) string {
	d := run.Detail
	var b strings.Builder
	b.WriteString(headline(run))
	fmt.Fprintf(&b, "  asked for by %s (%s), %s\n", printable(d.RequestedBy), d.Trigger, strings.Join(d.flags(run), ", "))
	fmt.Fprintf(&b, "  queued %s", second(d.QueuedAt))
	if run.StartedAt != nil {
		fmt.Fprintf(&b, ", started %s", second(*run.StartedAt))
	}
	if run.EndedAt != nil {
		fmt.Fprintf(&b, ", ended %s", second(*run.EndedAt))
	}
	waited := time.Duration(d.WaitedMs) * time.Millisecond
	fmt.Fprintf(&b, "\n  %d requests, %s waited for the upstream\n", d.Requests, waited.Round(100*time.Millisecond))
	if !run.State.Final() {
		fmt.Fprintf(&b, "  now: %s", printable(doing(run)))
		if d.HeartbeatAt != nil {
			fmt.Fprintf(&b, "; last sign of life %s", second(*d.HeartbeatAt))
		}
		b.WriteByte('\n')
	}
	if d.CancelRequestedBy != nil {
		fmt.Fprintf(&b, "  asked to stop by %s\n", printable(*d.CancelRequestedBy))
	}
	if d.ApprovedBy == nil || d.ApprovedAt == nil {
		b.WriteString(results(run))
		return b.String()
	}
	approved := *run
	if run.Error != nil {
		reason := strings.ReplaceAll(*run.Error, " "+syncers.ApproveAdvice, "")
		approved.Error = &reason
	}
	b.WriteString(results(&approved))
	fmt.Fprintf(&b, "  approved by %s at %s: %s\n", printable(*d.ApprovedBy), second(*d.ApprovedAt), quoted(d.ApprovalReason))
	if d.ApprovalRun != nil {
		fmt.Fprintf(&b, "  run %s has made those removals that still were\n", d.ApprovalRun.ID)
	} else {
		fmt.Fprintf(&b, "  the next run makes those removals that still are, until %s\n", second(d.ApprovedAt.Add(syncers.ApprovalLasts)))
	}
	return b.String()
}

// flags are a run's mode and flags, for people.
func (d *runDetail) flags(run *syncRun) []string {
	flags := []string{string(d.Mode)}
	if run.DryRun {
		flags = append(flags, "dry run")
	}
	if run.Forced {
		flags = append(flags, "forced")
	}
	if d.Resumed {
		flags = append(flags, "went on behind a run that died")
	}
	return flags
}

// fewLines is how many lines of a run are shown without --output.
const fewLines = 10

// said are the lines that a run said, the last of them unless all are asked for.
func said(run *syncRun, all bool) string {
	output := strings.TrimRight(run.Detail.Output, "\n")
	if output == "" {
		return ""
	}
	lines := strings.Split(output, "\n")
	var b strings.Builder
	b.WriteString("output:\n")
	if more := len(lines) - fewLines; more > 0 && !all {
		fmt.Fprintf(&b, "  … %d lines before these: --output\n", more)
		lines = lines[more:]
	}
	for _, line := range lines {
		fmt.Fprintf(&b, "  %s\n", printable(line))
	}
	return b.String()
}

// second is a moment for people.
func second(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// detailJSON is what --json prints of a run behind what it prints of every run.
func (r *syncRun) detailJSON() any {
	d := r.Detail
	var approvalRun *codex.RunID
	if d.ApprovalRun != nil {
		approvalRun = &d.ApprovalRun.ID
	}
	return struct {
		Mode              codex.RunMode    `json:"mode"`
		Forced            bool             `json:"forced"`
		Resumed           bool             `json:"resumed"`
		Trigger           codex.RunTrigger `json:"trigger"`
		RequestedBy       string           `json:"requested_by"`
		QueuedAt          time.Time        `json:"queued_at"`
		StartedAt         *time.Time       `json:"started_at"`
		EndedAt           *time.Time       `json:"ended_at"`
		HeartbeatAt       *time.Time       `json:"heartbeat_at"`
		Phase             string           `json:"phase"`
		ProgressDone      int              `json:"progress_done"`
		ProgressTotal     int              `json:"progress_total"`
		Requests          int              `json:"requests"`
		WaitedMs          int              `json:"waited_ms"`
		CancelRequestedBy *string          `json:"cancel_requested_by"`
		ApprovedBy        *string          `json:"approved_by"`
		ApprovalReason    *string          `json:"approval_reason"`
		ApprovedAt        *time.Time       `json:"approved_at"`
		ApprovalRun       *codex.RunID     `json:"approval_run"`
		Output            string           `json:"output"`
	}{
		d.Mode, r.Forced, d.Resumed, d.Trigger, d.RequestedBy, d.QueuedAt, r.StartedAt, r.EndedAt, d.HeartbeatAt,
		r.Phase, r.ProgressDone, r.ProgressTotal, d.Requests, d.WaitedMs,
		d.CancelRequestedBy, d.ApprovedBy, d.ApprovalReason, d.ApprovedAt, approvalRun, d.Output,
	}
}
