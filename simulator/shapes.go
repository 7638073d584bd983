package simulator

import (
	"encoding/json"
	"strings"
)

// edit changes how a record is shown, in its decoded JSON; numbers are json.Number.
type edit = func(record map[string]any)

// served is a record as an answer shows it: after the shapes that the switches give it, those of
// the endpoint itself, and the record's own distortions, in this order.
func (c *call) served(entity Entity, id string, record any, own ...edit) any {
	edits := c.switches.shapes(entity)
	edits = append(edits, own...)
	edits = append(edits, c.world.distortions[distortionKey{entity, id}]...)
	if len(edits) == 0 {
		return record
	}
	return distorted{record: record, edits: edits}
}

// shapes are the edits that the switches make on every record of a kind.
func (sw *Switches) shapes(entity Entity) []edit {
	switch entity {
	case EntitySite, EntityVariable, EntityDevice:
		return nil // Datto RMM's are made where they are served
	}
	var edits []edit
	if sw.MSPShapes {
		switch entity {
		case EntityDepartment:
			edits = append(edits, withoutPeopleAndDomains)
		case EntityTimeEntry:
			edits = append(edits, withEndAndKind)
		}
	}
	if sw.NumberPhones {
		edits = append(edits, withNumberPhones)
	}
	if sw.MissingKeys {
		edits = append(edits, withoutNulls)
	}
	return edits
}

// withoutPeopleAndDomains is a department of Freshservice for MSPs.
func withoutPeopleAndDomains(department map[string]any) {
	for _, key := range []string{"head_user_id", "head_name", "prime_user_id", "prime_user_name", "domains"} {
		delete(department, key)
	}
}

// withTextID shows the id as a text, as the MSP sample of a department has it.
func withTextID(record map[string]any) {
	if id, ok := record["id"].(json.Number); ok {
		record["id"] = id.String()
	}
}

// withEndAndKind is a time entry of Freshservice for MSPs.
func withEndAndKind(entry map[string]any) {
	entry["end_time"], entry["work_type"] = entry["executed_at"], nil
}

// withNumberPhones turns phones of nothing but digits into numbers, in the embeds of a ticket too. A
// leading zero would be lost, so such a phone stays a text.
func withNumberPhones(record map[string]any) {
	for key, value := range record {
		switch value := value.(type) {
		case map[string]any:
			withNumberPhones(value)
		case string:
			switch key {
			case "work_phone_number", "mobile_phone_number", "mobile", "phone":
				if strings.Trim(value, "0123456789") == "" && value != "" && value[0] != '0' {
					record[key] = json.Number(value)
				}
			}
		}
	}
}

// withoutNulls takes null keys off and turns empty arrays into null, in objects below too.
func withoutNulls(record map[string]any) {
	for key, value := range record {
		switch value := value.(type) {
		case nil:
			delete(record, key)
		case map[string]any:
			withoutNulls(value)
		case []any:
			if len(value) == 0 {
				record[key] = nil
			}
			for _, element := range value {
				if object, ok := element.(map[string]any); ok {
					withoutNulls(object)
				}
			}
		}
	}
}
