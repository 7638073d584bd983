package datto

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/hivematrix/codex/clients/wire"
)

// Device is a machine of Datto RMM. Everything but its uid may be missing.
type Device struct {
	ID               int64 // of web links; 0 where it is not told
	UID              string
	SiteUID          string
	SiteName         string
	Hostname         string
	Description      *string
	Category         *string // deviceType.category: free text, as "Laptop"
	DeviceClass      *string // device, printer, esxihost, rmmnetworkdevice, unknown, or a new one
	OperatingSystem  *string
	LastLoggedInUser *string
	Domain           *string
	IntIPAddress     *string
	ExtIPAddress     *string
	AntivirusProduct *string
	PatchStatus      *string
	Online           *bool
	Suspended        bool
	Deleted          bool
	LastSeen         *time.Time
	LastReboot       *time.Time
	LastAuditDate    *time.Time
	CreatedAt        *time.Time
	WarrantyDate     *string // as it is sent: a day, or free text
	PortalURL        *string
	WebRemoteURL     *string
	UDF              UDFs
}

func decodeDevice(raw json.RawMessage) (Device, error) {
	o := wire.Open(raw)
	kind, antivirus, patches := o.Object("deviceType"), o.Object("antivirus"), o.Object("patchManagement")
	device := Device{
		ID:               o.Int64("id"),
		UID:              o.Name("uid"),
		SiteUID:          o.Text("siteUid"),
		SiteName:         o.Text("siteName"),
		Hostname:         o.Text("hostname"),
		Description:      o.OptText("description"),
		Category:         kind.OptText("category"),
		DeviceClass:      o.OptText("deviceClass"),
		OperatingSystem:  o.OptText("operatingSystem"),
		LastLoggedInUser: o.OptText("lastLoggedInUser"),
		Domain:           o.OptText("domain"),
		IntIPAddress:     o.OptText("intIpAddress"),
		ExtIPAddress:     o.OptText("extIpAddress"),
		AntivirusProduct: antivirus.OptText("antivirusProduct"),
		PatchStatus:      patches.OptText("patchStatus"),
		Online:           o.OptBool("online"),
		Suspended:        o.Bool("suspended"),
		Deleted:          o.Bool("deleted"),
		LastSeen:         o.TimeBy("lastSeen", ParseTime),
		LastReboot:       o.TimeBy("lastReboot", ParseTime),
		LastAuditDate:    o.TimeBy("lastAuditDate", ParseTime),
		CreatedAt:        o.TimeBy("creationDate", ParseTime),
		WarrantyDate:     o.OptText("warrantyDate"),
		PortalURL:        o.OptText("portalUrl"),
		WebRemoteURL:     o.OptText("webRemoteUrl"),
		UDF:              decodeUDFs(o),
	}
	return device, o.Err()
}

// AccountDevices lists the devices of all sites: 250 a call, so that it is far cheaper than
// [Client.SiteDevices] for each site. Deleted and suspended ones may be among them.
func (c *Client) AccountDevices(ctx context.Context) (wire.Listing[Device], error) {
	list, err := listAll(ctx, c, resource[Device]{
		path: "/v2/account/devices", envelope: "devices", idField: "uid",
		decode: decodeDevice, key: func(d Device) string { return d.UID },
	})
	if err != nil {
		return list, fmt.Errorf("listing devices: %w", err)
	}
	return list, nil
}

// SiteDevices lists the devices of one site; [transport.IsNotFound] tells that there is no such
// site.
func (c *Client) SiteDevices(ctx context.Context, siteUID string) (wire.Listing[Device], error) {
	list, err := listAll(ctx, c, resource[Device]{
		path: "/v2/site/" + url.PathEscape(siteUID) + "/devices", endpoint: "/v2/site/{uid}/devices",
		envelope: "devices", idField: "uid",
		decode: decodeDevice, key: func(d Device) string { return d.UID },
	})
	if err != nil {
		return list, fmt.Errorf("listing devices of site %s: %w", siteUID, err)
	}
	return list, nil
}

// Device reads one device; [transport.IsNotFound] tells that there is none of that uid.
func (c *Client) Device(ctx context.Context, uid string) (Device, error) {
	device, err := readOne(ctx, c, "/v2/device/"+url.PathEscape(uid), "/v2/device/{uid}", decodeDevice)
	if err != nil {
		return device, fmt.Errorf("reading device %s: %w", uid, err)
	}
	return device, nil
}
