package reconcile

import (
	"strings"
)

// The types of billed machines, as Ledger writes them (docs/compatibility.md, "Ledger").
const (
	TypeWorkstation = "Workstation"
	TypeServer      = "Server"
	TypeSwitch      = "Switch"
	TypeFirewall    = "Firewall"
)

// typeNetwork is said of a network device of which Datto does not say whether it is a switch or a
// firewall: Ledger has no such type.
const typeNetwork = "Switch or Firewall"

// typeByDatto is the type that a machine has by Datto's words, deviceType.category and deviceClass;
// empty where they say nothing against a workstation. Both are open vocabularies of Datto RMM:
// categories are Desktop, Laptop, Server, ESXi Host and whatever else an account has, classes device,
// printer, esxihost, rmmnetworkdevice and unknown.
func typeByDatto(category, class string) string {
	category, class = strings.ToLower(category), strings.ToLower(class)
	switch {
	case class == "printer" || strings.Contains(category, "printer"): // on the network, and no type of its own
		return ""
	case class == "esxihost" || strings.Contains(category, "esxi") || strings.Contains(category, "server"):
		return TypeServer
	case strings.Contains(category, "firewall"):
		return TypeFirewall
	case strings.Contains(category, "switch"):
		return TypeSwitch
	case class == "rmmnetworkdevice" || strings.Contains(category, "network") || strings.Contains(category, "router"):
		return typeNetwork
	}
	return ""
}
