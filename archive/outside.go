package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/hivematrix/codex/archive/proof"
)

// outside is the newest signed log checkpoint that is known outside the database: a file, by which a
// database that came back from an older backup is recognised. It only ever goes forward.
type outside struct {
	path string

	mu   sync.Mutex
	last *SignedCheckpoint // as it was read last, since verifying takes longer than reading
}

// read gives the checkpoint, nil where there is no file. One that is none of the log's is a
// [*StoppedError]: it is evidence of something, and only a person may take it away.
func (o *outside) read(key proof.VerifierKey) (*SignedCheckpoint, error) {
	text, err := os.ReadFile(o.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, stopped(StopOutside, err, "the log checkpoint in %s cannot be read", o.path)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil && o.last.Note == string(text) && o.last.Origin == key.Origin() {
		return o.last, nil
	}
	opened, err := proof.OpenCheckpoint(text, key)
	if err != nil {
		return nil, stopped(StopOutside, err, "%s holds no log checkpoint of this log: find out whose it is, and move it away if it is not this log's", o.path)
	}
	o.last = &SignedCheckpoint{Checkpoint: opened, Note: string(text)}
	return o.last, nil
}

// advance writes the checkpoint down, unless a later one is there. Where it cannot be written, that is a
// [*StoppedError] with [StopUnwritable].
func (o *outside) advance(signed *SignedCheckpoint, key proof.VerifierKey) error {
	unlock, err := lockBeside(o.path) // other processes, perhaps on other machines, have the same file
	if err != nil {
		return o.unwritable(err)
	}
	defer unlock()
	there, err := o.read(key)
	if err != nil {
		return err
	}
	if there != nil && !newer(signed.Checkpoint, there.Checkpoint) {
		return nil
	}
	if err := writeBeside(o.path, []byte(signed.Note), 0o644, os.Rename); err != nil { // it is for everybody
		return o.unwritable(err)
	}
	return nil
}

func (o *outside) unwritable(err error) *StoppedError {
	return &StoppedError{Reason: StopUnwritable, Err: err, Message: "what is archived now is not signed, so that its proofs have to wait: " +
		"the newest log checkpoint cannot be written to " + o.path}
}

// lockBeside waits for the lock of a file, which its owner has for moments only. It is the lock of a
// hidden file beside it, since the file itself is replaced, and since NFS locks no folders: there Linux
// asks the server, so that other machines wait as well.
func lockBeside(path string) (unlock func(), err error) {
	lock, err := os.OpenFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil // closing releases
}
