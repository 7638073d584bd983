package simulator

import (
	"net/http"
)

// listAccountDevices serves /v2/account/devices and /v3/account/devices: the devices of all sites by id (choice). Its
// parameters are LIKE. The simulated account has no device filters, so any filterId is not found.
func listAccountDevices(c *call) answer {
	if c.query.Get("filterId") != "" {
		return c.dattoNotFound()
	}
	devices := c.world.devicesByID(func(d *Device) bool {
		var kind *string
		if d.DeviceType != nil {
			kind = d.DeviceType.Type
			if like(d.DeviceType.Category, c.query.Get("deviceType")) {
				kind = d.DeviceType.Category
			}
		}
		return like(d.Hostname, c.query.Get("hostname")) &&
			like(kind, c.query.Get("deviceType")) &&
			like(d.OperatingSystem, c.query.Get("operatingSystem")) &&
			like(d.SiteName, c.query.Get("siteName"))
	})
	return dattoPaged(c, "devices", devices, LastPageBlank, c.showDevice)
}

// listSiteDevices serves /v2/site/{uid}/devices, and v3's, by id (choice).
func listSiteDevices(c *call) answer {
	uid := c.args[0]
	if c.world.sites[uid] == nil || c.query.Get("filterId") != "" {
		return c.dattoNotFound()
	}
	devices := c.world.devicesByID(func(d *Device) bool { return d.at(uid) })
	return dattoPaged(c, "devices", devices, LastPageNull, c.showDevice)
}

// viewDevice serves /v2/device/{uid}, and v3's: the device without an envelope.
func viewDevice(c *call) answer {
	device := c.world.devices[c.args[0]]
	if device == nil {
		return c.dattoNotFound()
	}
	return answer{status: http.StatusOK, body: c.showDevice(device)}
}

// viewDeviceByID serves /v2/device/id/{id}.
func viewDeviceByID(c *call) answer {
	id, ok := c.id()
	found := c.world.devicesByID(func(d *Device) bool { return d.ID == id })
	if !ok || len(found) == 0 {
		return c.dattoNotFound()
	}
	return answer{status: http.StatusOK, body: c.showDevice(found[0])}
}
