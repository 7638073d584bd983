package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// listSites serves /v2/account/sites by id (choice); siteName is LIKE. The pseudo site of the
// deleted devices is among them.
func listSites(c *call) answer {
	sites := slices.DeleteFunc(c.world.sitesByID(), func(s *Site) bool {
		return !like(&s.Name, c.query.Get("siteName"))
	})
	counts := c.world.deviceCounts()
	return dattoPaged(c, "sites", sites, LastPageNull, func(s *Site) any { return c.showSite(s, counts) })
}

// viewSite serves /v2/site/{uid}: the site without an envelope.
func viewSite(c *call) answer {
	site := c.world.sites[c.args[0]]
	if site == nil {
		return c.dattoNotFound()
	}
	return answer{status: http.StatusOK, body: c.showSite(site, c.world.deviceCounts())}
}

// listVariables serves /v2/site/{uid}/variables: none is an empty list, 404 is no such site.
func listVariables(c *call) answer {
	site := c.world.sites[c.args[0]]
	if site == nil {
		return c.dattoNotFound()
	}
	return dattoPaged(c, "variables", site.Variables, LastPageBlank, func(v Variable) any {
		return c.served(EntityVariable, key(v.ID), v)
	})
}

func (c *call) showSite(site *Site, counts map[string]DevicesStatus) any {
	shown := *site
	shown.DevicesStatus = counts[site.UID]
	return c.served(EntitySite, site.UID, shown)
}

// deviceCounts counts every site's devices.
func (w *world) deviceCounts() map[string]DevicesStatus {
	counts := map[string]DevicesStatus{}
	for _, d := range w.devices {
		if d.SiteUID == nil {
			continue
		}
		status := counts[*d.SiteUID]
		status.NumberOfDevices++
		if d.Online != nil && *d.Online {
			status.NumberOfOnlineDevices++
		} else {
			status.NumberOfOfflineDevices++
		}
		counts[*d.SiteUID] = status
	}
	return counts
}

// dattoNotFound is the 404 of this call's path.
func (c *call) dattoNotFound() answer { return c.dattoRefusal(http.StatusNotFound) }

// dattoRefusal is the documented error of this call's path.
func (c *call) dattoRefusal(status int) answer {
	return dattoError(c.now, status, strings.TrimPrefix(c.path, dattoPrefix))
}

// like is the LIKE of the list parameters: the pattern anywhere in the text, in any case.
func like(s *string, pattern string) bool {
	if pattern == "" {
		return true
	}
	return s != nil && strings.Contains(strings.ToLower(*s), strings.ToLower(strings.Trim(pattern, "%")))
}
