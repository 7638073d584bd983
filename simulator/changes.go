package simulator

import (
	"cmp"
	"errors"
	"fmt"
)

// ErrNoRecord says that a change names a record that is not there.
var ErrNoRecord = errors.New("there is no such record")

func missing(entity Entity, id any) error { return fmt.Errorf("%s %v: %w", entity, id, ErrNoRecord) }

// replace puts a changed copy of a record into its map. What change does to slices, maps and
// pointers must be to put others in their place.
func replace[K cmp.Ordered, V any](entity Entity, records map[K]*V, id K, change func(*V)) error {
	old := records[id]
	if old == nil {
		return missing(entity, id)
	}
	changed := *old
	change(&changed)
	records[id] = &changed
	return nil
}

// Distort changes how one record is shown, everywhere, by editing its decoded JSON (numbers are
// json.Number): keys may go, types may change, values may be what no field of ours could hold. id is
// the record's id in decimal, a site's or device's uid. Truth does not see it.
func (s *Sim) Distort(entity Entity, id string, edit func(record map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := distortionKey{entity, id}
	s.world.distortions[at] = append(s.world.distortions[at], edit)
}

// Undistort shows a record as it is again.
func (s *Sim) Undistort(entity Entity, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.world.distortions, distortionKey{entity, id})
}
