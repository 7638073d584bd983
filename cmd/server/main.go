package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hivematrix/codex/config"
)

// The exit statuses.
const (
	exitOK      = 0
	exitFailed  = 1 // also cancelled and interrupted
	exitUsage   = 2
	exitPartial = 3
	exitHeld    = 4
	exitAltered = 5 // archived bills, or a proof of one, are not as they were logged
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once it has been told to stop, a second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], config.OSEnviron(), os.Stdin, os.Stdout, os.Stderr))
}

// run is the program, from its arguments (without its name) to its exit status. It ends soon after
// ctx has.
func run(ctx context.Context, args []string, env map[string]string, stdin io.Reader, stdout, stderr io.Writer) int {
	workDir, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(stderr, "codex: finding the working directory: %v\n", err)
		return exitFailed
	}
	p := &program{env: env, workDir: workDir, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	return p.run(ctx, args)
}

// program is one run of codex: what the verbs share.
type program struct {
	env            map[string]string
	workDir        string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time

	configFile, instanceDir string // --config, --instance
}

func (p *program) run(ctx context.Context, args []string) int {
	root := p.command()
	root.SetArgs(args)
	return p.status(root.ExecuteContext(ctx))
}

// status tells what went wrong, if anything, and is the exit status.
func (p *program) status(err error) int {
	if err == nil {
		return exitOK
	}
	if ended, ok := errors.AsType[*statusError](err); ok && ended.err == nil {
		return ended.status
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(p.stderr, "codex: %s\n", line)
	}
	if ended, ok := errors.AsType[*statusError](err); ok {
		return ended.status
	}
	return exitFailed
}

// statusError ends the program with a status. Without err everything has been said.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// usageError says what is wrong with the command line.
func usageError(format string, args ...any) error {
	return &statusError{status: exitUsage, err: fmt.Errorf(format, args...)}
}
