package syncers_test

import "testing"

func TestASecondSyncOfAnUnchangedWorldChangesNothing(t *testing.T) {
	each(t, small(), func(t *testing.T, h *hub) {
		first := h.sync()
		if first["companies"].Created == 0 || first["assets"].Created == 0 || first["contacts"].Created == 0 || first["tickets"].Created == 0 {
			t.Fatalf("the first sync made nothing: %+v", first)
		}
		before := h.data()
		for entity, c := range h.sync() {
			if c.Created+c.Updated+c.Removed+c.Held != 0 {
				t.Errorf("%s: %+v", entity, c)
			}
		}
		if after := h.data(); after != before {
			t.Error("the second sync changed rows")
		}
	})
}
