package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

// syncFlags are the flags of codex sync.
type syncFlags struct {
	full, dryRun, force, newUpstream, json bool
}

func (p *program) syncCommand() *cobra.Command {
	var flags syncFlags
	cmd := &cobra.Command{
		Use:   "sync freshservice|datto|tickets|all",
		Short: "Sync a feed, or all that are on, and wait for the end",
		Long: "Syncs companies, locations and contacts (freshservice), sites and machines (datto), closed\n" +
			"tickets (tickets), or all of them in this order; all goes on after a failure. A running\n" +
			"codex serve of the same instance does the work; where there is none it is done here.\n\n" +
			"A dry run prints each change that it would make, and a forced run what it removed, since no guard\n" +
			"looked at that. A held run prints removals that it holds, and how to approve them.\n\n" +
			"Exit status: 0 succeeded, or a dry run that could read everything; 1 failed, cancelled or\n" +
			"interrupted; 3 partial: something could not be read, the rest was applied; 4 held: removals\n" +
			"beyond [sync] max_removal_percent were not made, and are not until the records are there\n" +
			"again, an admin approves them, or a sync with --force removes them. all exits with the first of\n" +
			"1, 4, 3 that any feed had.",
		Example: "  codex sync all\n" +
			"  codex sync tickets --full-sync\n" +
			"  codex sync datto --dry-run --json",
		Args:      exactly("FEED"),
		ValidArgs: []string{"freshservice", "datto", "tickets", "all"},
		RunE: func(cmd *cobra.Command, args []string) error {
			feeds := codex.Feeds()
			if args[0] != "all" {
				feed, err := codex.ParseFeed(args[0])
				if err != nil {
					return usageError("there is no feed %q: it is freshservice, datto, tickets or all", args[0])
				}
				feeds = []codex.Feed{feed}
			}
			return p.sync(cmd.Context(), feeds, flags)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&flags.full, "full-sync", false, "read the tickets of the whole window, and not only what changed (the other feeds always do)")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "plan, and write nothing but the run")
	cmd.Flags().BoolVar(&flags.force, "force", false, "switch the removal guard off")
	cmd.Flags().BoolVar(&flags.newUpstream, "new-upstream", false, "take data from another account than before, for good")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print one JSON object a feed")
	cmd.AddCommand(p.approveCommand(), p.cancelCommand(), p.showCommand())
	return cmd
}

func (p *program) sync(ctx context.Context, feeds []codex.Feed, flags syncFlags) (err error) {
	c, _, err := p.load()
	if err != nil {
		return err
	}
	hub, err := p.openHub(ctx, c, flags.newUpstream)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	return syncFeeds(ctx, hub, feeds, flags, p.reporter(flags.json))
}

// syncFeeds runs feeds one after the other, tells of each, and gives the exit status as an error.
func syncFeeds(ctx context.Context, hub *hub, feeds []codex.Feed, flags syncFlags, report reporter) error {
	var statuses []int
	var off []string
	for _, feed := range feeds {
		run, err := syncFeed(ctx, hub, feed, flags, report)
		if isOff(err) && len(feeds) > 1 {
			off = append(off, *failedRun(feed, nil, err).Error)
			continue
		}
		if err == nil && ctx.Err() == nil {
			err = hub.tellChanges(ctx, run)
		}
		if err != nil {
			run = failedRun(feed, run, err)
		}
		report.ended(run)
		statuses = append(statuses, exitStatus(run))
		if ctx.Err() != nil {
			break
		}
	}
	if len(statuses) == 0 {
		return fmt.Errorf("there is nothing to sync:\n%s", strings.Join(off, "\n"))
	}
	for _, status := range []int{exitFailed, exitHeld, exitPartial} {
		if slices.Contains(statuses, status) {
			return &statusError{status: status}
		}
	}
	return nil
}

// isOff tells whether err says that a feed is not configured.
func isOff(err error) bool {
	coded, ok := errors.AsType[*codex.Error](err)
	return ok && coded.Code == codex.CodeBadInput && coded.Field == "feed"
}

// failedRun is a run that could not be started, or of which not all can be told: it is as it was seen
// last, with the reason why no more is known.
func failedRun(feed codex.Feed, run *syncRun, err error) *syncRun {
	if run == nil {
		run = &syncRun{Feed: feed, State: codex.RunFailed}
	}
	reason := err.Error()
	if coded, ok := errors.AsType[*codex.Error](err); ok && coded.Err == nil {
		reason = coded.Message
	}
	if run.Error != nil {
		reason = *run.Error + "\n" + reason
	}
	run.Error = &reason
	return run
}

// exitStatus is the exit status for a run that has ended.
func exitStatus(run *syncRun) int {
	switch run.State {
	case codex.RunSucceeded:
		return exitOK
	case codex.RunPartial:
		return exitPartial
	case codex.RunHeld:
		if run.DryRun { // it could read everything; what it would hold is in its counts
			return exitOK
		}
		return exitHeld
	}
	return exitFailed
}

// syncFeed starts a run of feed, or joins one, and returns it when it has ended. A run that was
// joined at work and turns out to have died is followed by another: that is the one that was asked
// for.
func syncFeed(ctx context.Context, hub *hub, feed codex.Feed, flags syncFlags, report reporter) (*syncRun, error) {
	for {
		run, err := hub.startSync(ctx, feed, flags)
		if err != nil {
			return nil, err
		}
		joined := run.Joined
		report.began(run)
		run, err = watch(ctx, hub, run, report)
		if err != nil || !joined || run.State != codex.RunInterrupted || ctx.Err() != nil {
			return run, err
		}
	}
}

// watch returns a run when it has ended. When ctx ends, a run of this process is interrupted, and
// its row returned; one of a serve goes on.
func watch(ctx context.Context, hub *hub, run *syncRun, report reporter) (*syncRun, error) {
	for wait := firstLook; !run.State.Final(); wait = min(2*wait, lookAgain) {
		select {
		case <-ctx.Done():
			return hub.abandon(ctx, run)
		case <-time.After(wait):
		}
		again, err := hub.run(ctx, run.ID)
		switch {
		case err != nil && ctx.Err() != nil:
			return hub.abandon(ctx, run)
		case err != nil && hub.local == nil && isGone(err):
			return run, codex.Errorf(codex.CodeUnavailable, "the codex serve that did the work has gone: start it again and sync again")
		case err != nil:
			return run, fmt.Errorf("watching run %s: %w", run.ID, err)
		}
		run = again
		report.progress(run)
	}
	return run, nil
}

// A run's row is read soon after its start, and then once a second, which is what a person sees.
const (
	firstLook = 50 * time.Millisecond
	lookAgain = time.Second
)

// abandoning bounds how long a process that was told to stop may take to read how its run ended.
const abandoning = 15 * time.Second

// abandon is the end of watching a run before its own: a run of this process is ended.
func (h *hub) abandon(ctx context.Context, run *syncRun) (*syncRun, error) {
	if h.local == nil {
		return run, fmt.Errorf("stopped watching; the running codex serve goes on with run %s", run.ID)
	}
	h.local.engine.Close()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), abandoning, fmt.Errorf("run %s was ended, but the database did not tell within %v how", run.ID, abandoning))
	defer cancel()
	return h.run(ctx, run.ID)
}
