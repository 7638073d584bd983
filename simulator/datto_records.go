package simulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// TimeForm is how Datto RMM writes an instant. The specification says ISO text, live answers are
// epoch milliseconds, and both a zero and the year 1 stand for "never".
type TimeForm int

// The forms of an instant, by the example of each.
const (
	TimeMillis        TimeForm = iota // 1736937000000
	TimeNull                          // null
	TimeNumericString                 // "1736937000000"
	TimeISO                           // "2025-01-15T10:30:00Z"
	TimeZero                          // 0
	TimeYearOne                       // -62135596800000
)

// yearOneMillis is what a .NET service writes for a time that was never set.
const yearOneMillis = -62135596800000

// DattoTime is an instant in one of the forms that Datto RMM sends.
type DattoTime struct {
	At   time.Time
	Form TimeForm
}

// NullTime is a time that is sent as null.
func NullTime() DattoTime { return DattoTime{Form: TimeNull} }

// Millis is a time that is sent as a number of milliseconds, the usual form.
func Millis(at time.Time) DattoTime { return DattoTime{At: at} }

// MarshalJSON writes the instant in its form.
func (t DattoTime) MarshalJSON() ([]byte, error) {
	switch t.Form {
	case TimeNull:
		return []byte("null"), nil
	case TimeNumericString:
		return json.Marshal(strconv.FormatInt(t.At.UnixMilli(), 10))
	case TimeISO:
		return json.Marshal(t.At.UTC().Format(time.RFC3339))
	case TimeZero:
		return []byte("0"), nil
	case TimeYearOne:
		return []byte(strconv.Itoa(yearOneMillis)), nil
	default:
		return []byte(strconv.FormatInt(t.At.UnixMilli(), 10)), nil
	}
}

// UDFs are a device's user-defined fields: the value at i is sent as udf(i+1). Values are text or
// nil as a rule; a number or a boolean is sent as it stands.
type UDFs []any

// MarshalJSON writes the fields in their numeric order.
func (u UDFs) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, v := range u {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `"udf`...), int64(i+1), 10)
		b = append(b, `":`...)
		if v == nil { // nearly all of them
			b = append(b, "null"...)
			continue
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode udf%d: %w", i+1, err)
		}
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

// Site is Datto RMM's grouping of devices; its variable AccountNumber names the customer. The
// pseudo site "Deleted Devices" has a uid that is no GUID.
type Site struct {
	ID                   int64         `json:"id"`
	UID                  string        `json:"uid"`
	AccountUID           string        `json:"accountUid"`
	Name                 string        `json:"name"`
	Description          *string       `json:"description"`
	Notes                *string       `json:"notes"`
	OnDemand             bool          `json:"onDemand"`
	SplashtopAutoInstall bool          `json:"splashtopAutoInstall"`
	ProxySettings        *string       `json:"proxySettings"`
	DevicesStatus        DevicesStatus `json:"devicesStatus"`
	AutotaskCompanyName  *string       `json:"autotaskCompanyName"`
	AutotaskCompanyID    *string       `json:"autotaskCompanyId"`
	PortalURL            *string       `json:"portalUrl"`

	Variables []Variable `json:"-"`
}

// DevicesStatus counts a site's devices; it is computed when a site is served.
type DevicesStatus struct {
	NumberOfDevices        int `json:"numberOfDevices"`
	NumberOfOnlineDevices  int `json:"numberOfOnlineDevices"`
	NumberOfOfflineDevices int `json:"numberOfOfflineDevices"`
}

// Variable is a site variable; a masked one hides its value.
type Variable struct {
	ID     int64   `json:"id"`
	Name   string  `json:"name"`
	Value  *string `json:"value"`
	Masked bool    `json:"masked"`
}

// Device is a machine that Datto RMM watches. Its uid never changes while it is not re-imaged; its
// site and hostname may.
type Device struct {
	ID                         int64            `json:"id"`
	UID                        string           `json:"uid"`
	SiteID                     *int64           `json:"siteId"`
	SiteUID                    *string          `json:"siteUid"`
	SiteName                   *string          `json:"siteName"`
	DeviceType                 *DeviceType      `json:"deviceType"`
	Hostname                   *string          `json:"hostname"`
	IntIPAddress               *string          `json:"intIpAddress"`
	ExtIPAddress               *string          `json:"extIpAddress"`
	OperatingSystem            *string          `json:"operatingSystem"`
	LastLoggedInUser           *string          `json:"lastLoggedInUser"`
	Domain                     *string          `json:"domain"`
	CagVersion                 *string          `json:"cagVersion"`
	DisplayVersion             *string          `json:"displayVersion"`
	Description                *string          `json:"description"`
	A64Bit                     *bool            `json:"a64Bit"`
	RebootRequired             *bool            `json:"rebootRequired"`
	Online                     *bool            `json:"online"`
	Suspended                  *bool            `json:"suspended"`
	Deleted                    *bool            `json:"deleted"`
	LastSeen                   DattoTime        `json:"lastSeen"`
	LastReboot                 DattoTime        `json:"lastReboot"`
	LastAuditDate              DattoTime        `json:"lastAuditDate"`
	CreationDate               DattoTime        `json:"creationDate"`
	UDF                        UDFs             `json:"udf,omitzero"` // nil: the key is not sent
	SNMPEnabled                *bool            `json:"snmpEnabled"`
	DeviceClass                *string          `json:"deviceClass"`
	PortalURL                  *string          `json:"portalUrl"`
	WarrantyDate               *string          `json:"warrantyDate"`
	Antivirus                  *Antivirus       `json:"antivirus"`
	PatchManagement            *PatchManagement `json:"patchManagement"`
	SoftwareStatus             *string          `json:"softwareStatus"`
	WebRemoteURL               *string          `json:"webRemoteUrl"`
	NetworkProbe               *bool            `json:"networkProbe"`
	OnboardedViaNetworkMonitor *bool            `json:"onboardedViaNetworkMonitor"`
}

// DeviceType is a device's kind: Category is free text (Laptop, Desktop, Server, …).
type DeviceType struct {
	Category *string `json:"category"`
	Type     *string `json:"type"`
}

// Antivirus is what Datto RMM knows of a device's virus scanner.
type Antivirus struct {
	Product *string `json:"antivirusProduct"`
	Status  *string `json:"antivirusStatus"`
}

// PatchManagement is a device's patch state.
type PatchManagement struct {
	PatchStatus        *string `json:"patchStatus"`
	PatchesApproved    int     `json:"patchesApprovedPending"`
	PatchesNotApproved int     `json:"patchesNotApproved"`
	PatchesInstalled   int     `json:"patchesInstalled"`
}
