package simulator

import (
	"fmt"
	"strings"
)

// UDFValue is a user-defined field as Datto RMM's v3 shows it. The value stands under the name of its
// type, the others are null. What the documents do not tell is a choice: every field of a device is
// listed, with the type of the value that it has (String where it has none).
type UDFValue struct {
	Ordinal      int     `json:"ordinal"` // 1 is udf1
	Type         string  `json:"type"`
	Label        string  `json:"label"`
	ValueString  *string `json:"valueString"`
	ValueNumber  any     `json:"valueNumber"` // a JSON number
	ValueBoolean *bool   `json:"valueBoolean"`
	ValueDate    *string `json:"valueDate"`
	TypeMisMatch bool    `json:"typeMisMatch"`
}

// v3 are the fields as v3 lists them; nil for a device without any.
func (u UDFs) v3() []UDFValue {
	if u == nil {
		return nil
	}
	values := make([]UDFValue, len(u))
	for i, v := range u {
		f := &values[i]
		f.Ordinal, f.Type, f.Label = i+1, "String", fmt.Sprintf("UDF %d", i+1)
		switch v := v.(type) {
		case nil:
		case string:
			f.ValueString = new(v)
		case bool:
			f.Type, f.ValueBoolean = "Boolean", new(v)
		default:
			f.Type, f.ValueNumber = "Number", v
		}
	}
	return values
}

// deviceV3 is a device with `udfs` in place of `udf`.
type deviceV3 struct {
	*Device
	UDF  *UDFs      `json:"udf,omitempty"` // never: hides the one of v2
	UDFs []UDFValue `json:"udfs,omitzero"`
}

// showDevice is a device as the version of the API that was asked shows it.
func (c *call) showDevice(d *Device) any {
	var shown any = d
	switch {
	case strings.HasPrefix(c.path, dattoPrefix+"/v3/"):
		shown = deviceV3{Device: d, UDFs: d.UDF.v3()}
	case c.switches.V2WithoutUDF && d.UDF != nil:
		bare := *d
		bare.UDF = nil
		shown = &bare
	}
	return c.served(EntityDevice, d.UID, shown)
}
