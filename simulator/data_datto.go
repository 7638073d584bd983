package simulator

import (
	"fmt"
	"strings"
	"time"
)

// deletedDevicesUID is the pseudo site's; it is no GUID (O).
const deletedDevicesUID = "deleted-devices"

// newSite makes a site with its variables and keeps it.
func (g *generator) newSite(uid, name string, variables ...Variable) *Site {
	s := &Site{
		ID: take(&g.ids.site), UID: uid, AccountUID: g.accountUID, Name: name, SplashtopAutoInstall: true,
		Variables: []Variable{},
	}
	s.PortalURL = new(fmt.Sprintf("https://merlot.rmm.datto.com/site/%d", s.ID))
	for _, v := range variables {
		v.ID = take(&g.ids.variable)
		s.Variables = append(s.Variables, v)
	}
	g.sites[s.UID] = s
	return s
}

// accountVariable is the site variable that names the customer.
func accountVariable(account string) Variable {
	return Variable{Name: "AccountNumber", Value: new(account)}
}

// makeSites gives every company one site, Contoso and some others a second one.
func (g *generator) makeSites() {
	for i, c := range g.companies {
		other := Variable{Name: "PatchWindow", Value: new(pick(g, []string{"Sat 22:00", "Sun 03:00"}))}
		c.sites = append(c.sites, g.newSite(newUID(g.rand), c.department.Name+" HQ", other, accountVariable(c.account)))
		switch {
		case i == 0:
			c.sites = append(c.sites, g.newSite(newUID(g.rand), c.department.Name+" Warehouse", accountVariable(c.account)))
		case g.chance(8):
			c.sites = append(c.sites, g.newSite(newUID(g.rand), c.department.Name+" Branch", accountVariable(c.account)))
		}
	}
}

// makeDevices makes the devices of the companies' sites.
func (g *generator) makeDevices() {
	amount := max(g.opts.Assets, contosoAssets)
	if !g.opts.Plain {
		amount = max(g.opts.Assets-fixtureOtherDevices, contosoAssets+fixtureDevices)
	}
	for i := range amount {
		c := g.companyOf(i, contosoAssets)
		site := pick(g, c.sites)
		kind := -1
		if i < contosoAssets {
			site, kind = c.sites[min(i/8, 1)], []int{0, 0, 60, 80}[i%4] // laptops, a desktop, a server
		}
		g.deviceList = append(g.deviceList, g.addDevice(site, g.newDevice(c, kind)))
	}
}

// newDevice makes a device of a company; kind is a number below 100 that decides what it is, or -1.
func (g *generator) newDevice(c *company, kind int) Device {
	if kind < 0 {
		kind = g.rand.IntN(100)
	}
	seen := g.now.Add(-time.Duration(g.rand.IntN(3600)) * time.Second)
	online := !g.chance(25)
	if !online {
		seen = g.daysAgo(40, 0)
	}
	d := Device{
		UID: newUID(g.rand), IntIPAddress: new(fmt.Sprintf("10.%d.%d.%d", g.rand.IntN(4), g.rand.IntN(200), 2+g.rand.IntN(250))),
		ExtIPAddress: new(fmt.Sprintf("203.0.113.%d", 1+g.rand.IntN(254))), Description: new(""),
		CagVersion: new("4.4.2279"), DisplayVersion: new("4.4.2279"), A64Bit: new(true),
		Online: new(online), Suspended: new(false), Deleted: new(false),
		LastSeen: Millis(seen), LastReboot: Millis(seen.Add(-time.Duration(g.rand.IntN(20*24)) * time.Hour)),
		LastAuditDate: Millis(seen.Add(-time.Duration(g.rand.IntN(24)) * time.Hour)),
		CreationDate:  Millis(g.daysAgo(1200, 60)), UDF: make(UDFs, 30), SNMPEnabled: new(false),
		DeviceClass: new("device"), NetworkProbe: new(false), OnboardedViaNetworkMonitor: new(false),
	}
	switch {
	case kind < 50:
		g.workstation(&d, c, "L", "Laptop", "Notebook")
	case kind < 78:
		g.workstation(&d, c, "D", "Desktop", "Desktop")
	case kind < 90:
		g.server(&d, c)
	case kind < 92:
		g.other(&d, c, "ESX", "ESXi Host", "ESXi Host", "esxihost")
	case kind < 96:
		g.other(&d, c, "SW", "Network Device (Switch)", "Network Device (Switch)", "rmmnetworkdevice")
	default:
		g.other(&d, c, "PR", "Printer", "Printer", "printer")
	}
	return d
}

// hostname is the next free name of a kind at a company.
func (c *company) hostname(kind string) *string {
	c.hosts[kind]++
	return new(fmt.Sprintf("%s-%s%02d", c.prefix, kind, c.hosts[kind]))
}

func (g *generator) workstation(d *Device, c *company, letter, category, kind string) {
	d.Hostname = c.hostname(letter)
	d.DeviceType = &DeviceType{Category: new(category), Type: new(kind)}
	d.OperatingSystem = new(pick(g, operatingSystems()))
	d.Domain = new(c.slug + ".local")
	d.WarrantyDate = new(g.now.AddDate(0, g.rand.IntN(36), 0).Format(time.DateOnly))
	d.LastLoggedInUser = g.lastUser(c)
	g.protect(d)
	d.UDF[3], d.UDF[6] = "Administrator", category
	if g.chance(30) {
		d.UDF[5] = fmt.Sprint(20<<30 + g.rand.Int64N(400<<30))
	}
}

func (g *generator) server(d *Device, c *company) {
	d.Hostname = c.hostname("SRV")
	d.DeviceType = &DeviceType{Category: new("Server"), Type: new("Main System Chassis")}
	d.OperatingSystem = new(pick(g, serverSystems()))
	d.Domain = new(c.slug + ".local")
	d.LastLoggedInUser = new(c.prefix + `\Administrator`)
	g.protect(d)
	d.UDF[3], d.UDF[6] = "Administrator, svc-backup", "Server"
	if g.chance(90) {
		d.UDF[5] = fmt.Sprint(200<<30 + g.rand.Int64N(4<<40))
	}
}

// other is what has no agent of its own: no user, no domain, no virus scanner.
func (g *generator) other(d *Device, c *company, letters, category, kind, class string) {
	d.Hostname = c.hostname(letters)
	d.DeviceType = &DeviceType{Category: new(category), Type: new(kind)}
	d.DeviceClass, d.SNMPEnabled, d.A64Bit = new(class), new(true), nil
	d.UDF[6] = category
}

func (g *generator) protect(d *Device) {
	product := pick(g, []string{"Windows Defender", "Datto AV", "SentinelOne"})
	status := pick(g, []string{"RunningAndUpToDate", "RunningAndUpToDate", "RunningAndUpToDate", "RunningAndNotUpToDate", "NotRunning"})
	d.Antivirus = &Antivirus{Product: new(product), Status: new(status)}
	d.PatchManagement = &PatchManagement{
		PatchStatus:      new(pick(g, []string{"FullyPatched", "ApprovedPending", "RebootRequired", "NoPolicy"})),
		PatchesInstalled: 100 + g.rand.IntN(200), PatchesNotApproved: g.rand.IntN(9), PatchesApproved: g.rand.IntN(4),
	}
	d.RebootRequired = new(*d.PatchManagement.PatchStatus == "RebootRequired")
}

// lastUser is a contact of the company as Windows or Entra names one, somebody local, or nobody.
func (g *generator) lastUser(c *company) *string {
	if len(c.contacts) == 0 || g.chance(10) {
		return nil
	}
	contact := pick(g, c.contacts)
	if contact.PrimaryEmail == nil {
		return nil
	}
	email := *contact.PrimaryEmail
	local, _, _ := strings.Cut(email, "@")
	switch n := g.rand.IntN(10); {
	case n < 6:
		return new(c.prefix + `\` + local)
	case n < 9:
		return new(email)
	default:
		return new(`AzureAD\LocalAdmin`)
	}
}
