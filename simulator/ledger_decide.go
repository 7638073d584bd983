package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// DecideTypes is what the people at Ledger's desk do with machines that are new to them: they look at all
// that Codex serves and say which are servers, switches and firewalls. What somebody said of a machine
// before stays.
func (s *Sim) DecideTypes(ctx context.Context) error {
	status, text, err := s.ledgerCalls(ctx, http.MethodGet, s.Ledger().CodexURL+"/api/companies/bulk", "codex", nil)
	if err != nil {
		return fmt.Errorf("read the companies from Codex: %w", err)
	}
	var companies []struct {
		Assets []struct {
			ID           int64   `json:"id"`
			HardwareType *string `json:"hardware_type"`
		} `json:"assets"`
	}
	if status != http.StatusOK {
		return fmt.Errorf("read the companies from Codex: it answers %d", status)
	}
	if err := json.Unmarshal(text, &companies); err != nil {
		return fmt.Errorf("read the companies from Codex: %w", err)
	}
	s.ledger.agree(func(a *agreed) {
		types := map[int64]Billing{}
		for _, c := range companies {
			for _, m := range c.Assets {
				if m.HardwareType == nil {
					continue
				}
				if kind := typeOf(*m.HardwareType); kind != "" {
					types[m.ID] = Billing{Type: kind}
				}
			}
		}
		maps.Copy(types, a.assets) // what was said before stays
		a.assets = types
	})
	return nil
}

// typeOf is the type with which a kind of machine is billed; "" where a workstation's price is right.
func typeOf(hardware string) string {
	switch {
	case hardware == "Server", strings.Contains(hardware, "ESXi"):
		return "Server"
	case strings.Contains(hardware, "Switch"):
		return "Switch"
	case strings.Contains(hardware, "Firewall"):
		return "Firewall"
	}
	return ""
}
