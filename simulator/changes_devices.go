package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// EditSite changes a site; its devices keep the siteName they have.
func (s *Sim) EditSite(uid string, change func(*Site)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editSite(uid, change)
}

func (s *Sim) editSite(uid string, change func(*Site)) error {
	return replace(EntitySite, s.world.sites, uid, change)
}

// RenameSite changes a site's name, in its devices too.
func (s *Sim) RenameSite(uid, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.editSite(uid, func(site *Site) { site.Name = name }); err != nil {
		return err
	}
	for _, d := range s.world.devicesByID(func(d *Device) bool { return d.at(uid) }) {
		renamed := *d
		renamed.SiteName = new(name)
		s.world.devices[d.UID] = &renamed
	}
	return nil
}

// AddSite keeps a new site and returns its uid. account is the value of its variable AccountNumber;
// "" is none.
func (s *Sim) AddSite(name, account string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	site := &Site{
		ID: take(&s.world.ids.site), AccountUID: s.world.accountUID, Name: name, SplashtopAutoInstall: true,
		Variables: []Variable{},
	}
	site.UID = s.freshUID("site", site.ID)
	site.PortalURL = new(fmt.Sprintf("https://merlot.rmm.datto.com/site/%d", site.ID))
	if account != "" {
		v := accountVariable(account)
		v.ID = take(&s.world.ids.variable)
		site.Variables = append(site.Variables, v)
	}
	s.world.sites[site.UID] = site
	return site.UID
}

// RemoveSite makes a site and its devices vanish.
func (s *Sim) RemoveSite(uid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.sites[uid] == nil {
		return missing(EntitySite, uid)
	}
	delete(s.world.sites, uid)
	maps.DeleteFunc(s.world.devices, func(_ string, d *Device) bool { return d.at(uid) })
	return nil
}

// SetVariable gives a site's variable a value, and makes the variable where there is none.
func (s *Sim) SetVariable(siteUID, name, value string, masked bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editSite(siteUID, func(site *Site) {
		site.Variables = slices.Clone(site.Variables)
		for i := range site.Variables {
			if site.Variables[i].Name == name {
				site.Variables[i].Value, site.Variables[i].Masked = new(value), masked
				return
			}
		}
		site.Variables = append(site.Variables, Variable{
			ID: take(&s.world.ids.variable), Name: name, Value: new(value), Masked: masked,
		})
	})
}

// RemoveVariable takes a variable off a site.
func (s *Sim) RemoveVariable(siteUID, name string) error {
	return s.EditSite(siteUID, func(site *Site) {
		site.Variables = slices.DeleteFunc(slices.Clone(site.Variables), func(v Variable) bool { return v.Name == name })
	})
}

// EditDevice changes a device.
func (s *Sim) EditDevice(uid string, change func(*Device)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editDevice(uid, change)
}

func (s *Sim) editDevice(uid string, change func(*Device)) error {
	return replace(EntityDevice, s.world.devices, uid, func(d *Device) {
		d.UDF = slices.Clone(d.UDF)
		change(d)
	})
}

// AddDevice puts a new device into a site and returns its uid: a laptop that is online, where d does
// not say otherwise.
func (s *Sim) AddDevice(siteUID, hostname string, change func(*Device)) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addDevice(siteUID, hostname, change)
}

func (s *Sim) addDevice(siteUID, hostname string, change func(*Device)) (string, error) {
	site := s.world.sites[siteUID]
	if site == nil {
		return "", missing(EntitySite, siteUID)
	}
	now := s.now()
	d := Device{
		UID: s.freshUID("device", s.world.ids.device), Hostname: new(hostname),
		DeviceType:   &DeviceType{Category: new("Laptop"), Type: new("Notebook")},
		IntIPAddress: new("10.0.0.50"), ExtIPAddress: new("203.0.113.50"),
		OperatingSystem: new(operatingSystems()[0]), Description: new(""), A64Bit: new(true),
		Online: new(true), Suspended: new(false), Deleted: new(false), LastSeen: Millis(now),
		LastReboot: Millis(now), LastAuditDate: Millis(now), CreationDate: Millis(now), UDF: make(UDFs, 30),
		DeviceClass: new("device"), Antivirus: &Antivirus{new("Windows Defender"), new("RunningAndUpToDate")},
		PatchManagement: &PatchManagement{PatchStatus: new("FullyPatched")},
	}
	d.UDF[6] = "Laptop"
	if change != nil {
		change(&d)
	}
	return s.world.addDevice(site, d).UID, nil
}

// RemoveDevice makes a device vanish: no list has it, its GET is 404.
func (s *Sim) RemoveDevice(uid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.devices[uid] == nil {
		return missing(EntityDevice, uid)
	}
	delete(s.world.devices, uid)
	return nil
}

// DeleteDevice is what the portal does: the device goes to "Deleted Devices" and is marked deleted.
func (s *Sim) DeleteDevice(uid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.sites[deletedDevicesUID] == nil {
		s.world.sites[deletedDevicesUID] = &Site{
			ID: take(&s.world.ids.site), UID: deletedDevicesUID, AccountUID: s.world.accountUID,
			Name: "Deleted Devices", Variables: []Variable{},
		}
	}
	if err := s.moveDevice(uid, deletedDevicesUID); err != nil {
		return err
	}
	return s.editDevice(uid, func(d *Device) { d.Deleted, d.Online = new(true), new(false) })
}

// MoveDevice moves a device to another site; its uid stays.
func (s *Sim) MoveDevice(uid, siteUID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moveDevice(uid, siteUID)
}

func (s *Sim) moveDevice(uid, siteUID string) error {
	site := s.world.sites[siteUID]
	if site == nil {
		return missing(EntitySite, siteUID)
	}
	return s.editDevice(uid, func(d *Device) {
		d.SiteID, d.SiteUID, d.SiteName = new(site.ID), new(site.UID), new(site.Name)
	})
}

// RenameDevice changes a device's hostname.
func (s *Sim) RenameDevice(uid, hostname string) error {
	return s.EditDevice(uid, func(d *Device) { d.Hostname = new(hostname) })
}

// SuspendDevice suspends a device, or lets it go on.
func (s *Sim) SuspendDevice(uid string, suspended bool) error {
	return s.EditDevice(uid, func(d *Device) { d.Suspended = new(suspended) })
}

// SetUDF gives a user-defined field (1 to 300) a value; nil is sent as null.
func (s *Sim) SetUDF(uid string, field int, value any) error {
	if field < 1 || field > 300 {
		return fmt.Errorf("udf%d: there are udf1 to udf300", field)
	}
	return s.EditDevice(uid, func(d *Device) {
		if grow := field - len(d.UDF); grow > 0 {
			d.UDF = append(d.UDF, make(UDFs, grow)...)
		}
		d.UDF[field-1] = value
	})
}

// ReimageDevice sets a machine up anew: the same hostname at the same site under a new uid, which is
// returned; the old uid vanishes.
func (s *Sim) ReimageDevice(uid string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reimageDevice(uid)
}

func (s *Sim) reimageDevice(uid string) (string, error) {
	old := s.world.devices[uid]
	if old == nil || old.SiteUID == nil {
		return "", missing(EntityDevice, uid)
	}
	site := s.world.sites[*old.SiteUID]
	if site == nil {
		return "", missing(EntitySite, *old.SiteUID)
	}
	delete(s.world.devices, uid)
	fresh := *old
	fresh.UID = s.freshUID("device", s.world.ids.device)
	fresh.PortalURL, fresh.CreationDate = nil, Millis(s.now())
	return s.world.addDevice(site, fresh).UID, nil
}

// freshUID is a GUID that the seed and a record's number make, so that the same changes give the same
// uids.
func (s *Sim) freshUID(kind string, id int64) string {
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %d of seed %d", kind, id, s.opts.Seed))
	return newUID(rand.New(rand.NewPCG(binary.BigEndian.Uint64(digest[:8]), binary.BigEndian.Uint64(digest[8:16]))))
}
