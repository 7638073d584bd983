package simulator

import (
	"fmt"
	"net/http"
	"strings"
)

// macOf is a device's MAC address, 12 hexadecimal digits that its id makes; "" for what has no agent
// and so no audit.
func (d *Device) macOf() string {
	if d.DeviceClass == nil || *d.DeviceClass != "device" {
		return ""
	}
	return fmt.Sprintf("0A0027%06X", d.ID&0xffffff)
}

// viewDevicesByMAC serves /v2/device/macAddress/{12 hex}: an array.
func viewDevicesByMAC(c *call) answer {
	mac := strings.ToUpper(c.args[0])
	if len(mac) != 12 || strings.Trim(mac, "0123456789ABCDEF") != "" {
		return c.dattoRefusal(http.StatusBadRequest)
	}
	shown := []any{}
	for _, d := range c.world.devicesByID(func(d *Device) bool { return d.macOf() == mac }) {
		shown = append(shown, c.showDevice(d))
	}
	return answer{status: http.StatusOK, body: shown}
}

// audited is the device of an audit: 404 where there is none, 400 where its class is not `device` (D).
func (c *call) audited() (*Device, *answer) {
	d := c.world.devices[c.args[0]]
	switch {
	case d == nil:
		return nil, new(c.dattoNotFound())
	case d.macOf() == "":
		return nil, new(c.dattoRefusal(http.StatusBadRequest))
	}
	return d, nil
}

// viewAudit serves /v2/audit/device/{uid}, with figures that the device's id makes.
func viewAudit(c *call) answer {
	d, refusal := c.audited()
	if refusal != nil {
		return *refusal
	}
	mac := d.macOf()
	var parts []string
	for i := 0; i < len(mac); i += 2 {
		parts = append(parts, mac[i:i+2])
	}
	gib := int64(8 << (d.ID % 4))
	return answer{status: http.StatusOK, body: envelope{
		{"portalUrl", d.PortalURL},
		{"webRemoteUrl", d.WebRemoteURL},
		{"systemInfo", envelope{
			{"manufacturer", "Simulated Machines"}, {"model", fmt.Sprintf("SM-%d", 100+d.ID%7)},
			{"totalPhysicalMemory", gib << 30}, {"username", d.LastLoggedInUser}, {"dotNetVersion", "4.8"},
			{"totalCpuCores", 4 + 2*(d.ID%5)},
		}},
		{"bios", envelope{{"instance", "BIOS"}, {"serialNumber", fmt.Sprintf("SN%010d", d.ID)}, {"smBiosVersion", "2.8"}}},
		{"nics", []envelope{{
			{"instance", "Ethernet"}, {"ipv4", d.IntIPAddress}, {"ipv6", nil},
			{"macAddress", strings.Join(parts, ":")}, {"type", "Ethernet"},
		}}},
		{"processors", []envelope{{{"name", "Simulated CPU"}}}},
		{"logicalDisks", []envelope{{
			{"description", "Local Fixed Disk"}, {"diskIdentifier", "C:"}, {"size", gib << 34}, {"freespace", gib << 33},
		}}},
		{"physicalMemory", []envelope{{{"module", "DIMM1"}, {"size", gib << 30}, {"type", "DDR4"}}}},
	}}
}

// listSoftware serves /v2/audit/device/{uid}/software.
func listSoftware(c *call) answer {
	d, refusal := c.audited()
	if refusal != nil {
		return *refusal
	}
	software := []envelope{{{"name", "Datto RMM"}, {"version", "4.4.2279"}}, {{"name", "Web Browser"}, {"version", "126.0"}}}
	if d.Antivirus != nil && d.Antivirus.Product != nil {
		software = append(software, envelope{{"name", *d.Antivirus.Product}, {"version", "1.0"}})
	}
	return dattoPaged(c, "software", software, LastPageNull, func(e envelope) any { return e })
}
