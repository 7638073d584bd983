package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Evolve makes a batch of changes as a day brings them: people come, go and get other names, machines
// are added, renamed, moved, re-imaged and removed, tickets are opened, worked on and closed, backups
// grow. The same seed on the same world makes the same changes. It returns what it did, a line each.
func (s *Sim) Evolve(seed uint64) []string {
	e := &evolution{sim: s, rand: rand.New(rand.NewPCG(seed, 0x65766f6c7665))}
	for _, step := range []func(){
		e.renameDepartment, e.hire, e.hire, e.marry, e.leave, e.forget,
		e.openTicket, e.openTicket, e.openTicket, e.work, e.work, e.closeTicket, e.closeTicket,
		e.reopenTicket, e.restatusTicket, e.deleteTicket,
		e.addDevice, e.addDevice, e.renameDevice, e.moveDevice, e.reimageDevice, e.deleteDevice,
		e.growBackups,
	} {
		step()
	}
	return e.done
}

type evolution struct {
	sim  *Sim
	rand *rand.Rand
	done []string
}

func (e *evolution) did(err error, format string, args ...any) {
	if err == nil {
		e.done = append(e.done, fmt.Sprintf(format, args...))
	}
}

// among picks one of the records that fit; ok is false where none does.
func among[T any](e *evolution, list func(*world) []*T, fits func(*T) bool) (picked T, ok bool) {
	return lookup(e.sim, func(w *world) *T {
		fitting := slices.DeleteFunc(list(w), func(r *T) bool { return !fits(r) })
		if len(fitting) == 0 {
			return nil
		}
		return fitting[e.rand.IntN(len(fitting))]
	})
}

func departmentsOf(w *world) []*Department { return byID(w.departments) }
func requestersOf(w *world) []*Requester   { return byID(w.requesters) }
func ticketsOf(w *world) []*Ticket         { return byID(w.tickets) }
func devicesOf(w *world) []*Device         { return w.devicesByID(nil) }
func sitesOf(w *world) []*Site             { return w.sitesByID() }

// customer is a department with an account number that is not Contoso, which stays as it is known.
func (e *evolution) customer() (Department, bool) {
	return among(e, departmentsOf, func(d *Department) bool {
		return d.CustomFields["account_number"] != nil && d.Name != ContosoName
	})
}

func (e *evolution) renameDepartment() {
	if d, ok := e.customer(); ok {
		name := d.Name + " Group"
		e.did(e.sim.RenameDepartment(d.ID, name), "department %d: %s is now %s", d.ID, d.Name, name)
	}
}

func (e *evolution) hire() {
	d, ok := e.customer()
	if !ok || len(d.Domains) == 0 {
		return
	}
	first, last := firstNames()[e.rand.IntN(len(firstNames()))], lastNames()[e.rand.IntN(len(lastNames()))]
	id := e.sim.AddRequester(Requester{
		FirstName: first, LastName: new(last), DepartmentIDs: []int64{d.ID}, Active: true,
		PrimaryEmail: new(fmt.Sprintf("%s.%d@%s", mailName(first, last), e.rand.IntN(100000), d.Domains[0])),
		TimeZone:     "Eastern Time (US & Canada)", Language: "en",
	})
	e.did(nil, "requester %d: %s %s joined %s", id, first, last, d.Name)
}

// requester is an active one with an address who is not at Contoso.
func (e *evolution) requester() (Requester, bool) {
	contoso, _ := e.sim.DepartmentNamed(ContosoName)
	return among(e, requestersOf, func(r *Requester) bool {
		return r.Active && r.PrimaryEmail != nil && !slices.Contains(r.DepartmentIDs, contoso.ID)
	})
}

func (e *evolution) marry() {
	if r, ok := e.requester(); ok {
		last := lastNames()[e.rand.IntN(len(lastNames()))]
		e.did(e.sim.RenameRequester(r.ID, r.FirstName, last), "requester %d: %s is now %s %s", r.ID, r.FirstName, r.FirstName, last)
	}
}

func (e *evolution) leave() {
	if r, ok := e.requester(); ok {
		e.did(e.sim.DeactivateRequester(r.ID), "requester %d: %s left and is inactive", r.ID, r.FirstName)
	}
}

func (e *evolution) forget() {
	if r, ok := e.requester(); ok {
		e.did(e.sim.RemoveRequester(r.ID), "requester %d: %s is gone", r.ID, r.FirstName)
	}
}

func (e *evolution) openTicket() {
	if r, ok := e.requester(); ok && len(r.DepartmentIDs) > 0 {
		subject := subjects()[e.rand.IntN(len(subjects()))]
		id := e.sim.AddTicket(Ticket{
			Subject: new(subject), Description: "<div>" + subject + "</div>", DescriptionText: subject,
			RequesterID: r.ID, DepartmentID: new(r.DepartmentIDs[0]),
		})
		e.did(nil, "ticket %d: opened, %s", id, subject)
	}
}

// ticket is one that is neither deleted nor spam, in a status.
func (e *evolution) ticket(status int) (Ticket, bool) {
	return among(e, ticketsOf, func(t *Ticket) bool {
		return t.Status == status && !t.Deleted && !t.Spam
	})
}

func (e *evolution) work() {
	if t, ok := e.ticket(StatusOpen); ok {
		spent := fmt.Sprintf("%02d:%02d", e.rand.IntN(3), 15+15*e.rand.IntN(3))
		_, err := e.sim.AddTimeEntry(t.ID, TimeEntry{TimeSpent: new(spent), Billable: true, Note: "remote session"}, true)
		e.did(err, "ticket %d: %s hours of work", t.ID, spent)
	}
}

func (e *evolution) closeTicket() {
	if t, ok := e.ticket(StatusOpen); ok {
		e.did(e.sim.CloseTicket(t.ID), "ticket %d: closed", t.ID)
	}
}

func (e *evolution) reopenTicket() {
	if t, ok := e.ticket(StatusClosed); ok {
		e.did(e.sim.ReopenTicket(t.ID), "ticket %d: reopened", t.ID)
	}
}

func (e *evolution) restatusTicket() {
	if t, ok := e.ticket(StatusClosed); ok {
		e.did(e.sim.SetTicketStatus(t.ID, StatusBillingComplete), "ticket %d: billing complete", t.ID)
	}
}

func (e *evolution) deleteTicket() {
	if t, ok := e.ticket(StatusClosed); ok {
		e.did(e.sim.DeleteTicket(t.ID), "ticket %d: deleted", t.ID)
	}
}

// site is one with an account number, not Contoso's.
func (e *evolution) site() (Site, bool) {
	return among(e, sitesOf, func(s *Site) bool {
		return slices.ContainsFunc(s.Variables, func(v Variable) bool {
			return v.Name == "AccountNumber" && !v.Masked && v.Value != nil && *v.Value != ContosoAccountNumber
		})
	})
}

// device is one with a name at such a site.
func (e *evolution) device() (Device, bool) {
	site, ok := e.site()
	if !ok {
		return Device{}, false
	}
	return among(e, devicesOf, func(d *Device) bool { return d.at(site.UID) && d.Hostname != nil })
}

func (e *evolution) addDevice() {
	if site, ok := e.site(); ok {
		hostname := fmt.Sprintf("NEW-L%04d", e.rand.IntN(10000))
		uid, err := e.sim.AddDevice(site.UID, hostname, nil)
		e.did(err, "device %s: %s added at %s", uid, hostname, site.Name)
	}
}

func (e *evolution) renameDevice() {
	if d, ok := e.device(); ok {
		hostname := *d.Hostname + "-R"
		e.did(e.sim.RenameDevice(d.UID, hostname), "device %s: %s is now %s", d.UID, *d.Hostname, hostname)
	}
}

func (e *evolution) moveDevice() {
	d, found := e.device()
	site, ok := e.site()
	if found && ok && !d.at(site.UID) {
		e.did(e.sim.MoveDevice(d.UID, site.UID), "device %s: %s moved to %s", d.UID, *d.Hostname, site.Name)
	}
}

func (e *evolution) reimageDevice() {
	if d, ok := e.device(); ok {
		uid, err := e.sim.ReimageDevice(d.UID)
		e.did(err, "device %s: %s re-imaged, its uid was %s", uid, *d.Hostname, d.UID)
	}
}

func (e *evolution) deleteDevice() {
	if d, ok := e.device(); ok {
		e.did(e.sim.DeleteDevice(d.UID), "device %s: %s deleted", d.UID, *d.Hostname)
	}
}

// growBackups lets the backups of up to 20 devices grow, and the devices be seen.
func (e *evolution) growBackups() {
	grown := 0
	for range 20 {
		d, ok := among(e, devicesOf, func(d *Device) bool {
			return len(d.UDF) > 5 && backupBytes(d.UDF[5]) > 0
		})
		if !ok {
			return
		}
		bytes := backupBytes(d.UDF[5])
		bytes += 1 + e.rand.Int64N(bytes/100+1)
		err := e.sim.EditDevice(d.UID, func(d *Device) {
			d.UDF[5] = strconv.FormatInt(bytes, 10)
			d.LastSeen.At = e.sim.now().Add(-time.Minute)
		})
		if err == nil {
			grown++
		}
	}
	e.did(nil, "%d backups grew", grown)
}

// backupBytes reads udf6 where it is a text of digits; 0 otherwise.
func backupBytes(udf any) int64 {
	digits, _ := udf.(string)
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
