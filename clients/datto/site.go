package datto

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/google/uuid"
	"github.com/hivematrix/codex/clients/wire"
)

// Site is a site of Datto RMM: the machines of one place of a customer.
type Site struct {
	ID          int64  // of web links
	UID         string // of the API
	AccountUID  string
	Name        string
	Description *string
	PortalURL   *string
}

// Pseudo tells that the site is none of a customer's: "Deleted Devices" and its like are listed
// among the sites, with a uid that is no GUID.
func (s Site) Pseudo() bool {
	_, err := uuid.Parse(s.UID)
	return err != nil
}

func decodeSite(raw json.RawMessage) (Site, error) {
	o := wire.Open(raw)
	site := Site{
		ID:          o.Int64("id"),
		UID:         o.Name("uid"),
		AccountUID:  o.Text("accountUid"),
		Name:        o.Text("name"),
		Description: o.OptText("description"),
		PortalURL:   o.OptText("portalUrl"),
	}
	return site, o.Err()
}

// Sites lists all sites of the account, pseudo sites too.
func (c *Client) Sites(ctx context.Context) (wire.Listing[Site], error) {
	list, err := listAll(ctx, c, resource[Site]{
		path: "/v2/account/sites", envelope: "sites", idField: "uid",
		decode: decodeSite, key: func(s Site) string { return s.UID },
	})
	if err != nil {
		return list, fmt.Errorf("listing sites: %w", err)
	}
	return list, nil
}

// Site reads one site; [transport.IsNotFound] tells that there is none of that uid.
func (c *Client) Site(ctx context.Context, uid string) (Site, error) {
	site, err := readOne(ctx, c, "/v2/site/"+url.PathEscape(uid), "/v2/site/{uid}", decodeSite)
	if err != nil {
		return site, fmt.Errorf("reading site %s: %w", uid, err)
	}
	return site, nil
}

// Variable is a variable of a site.
type Variable struct {
	ID     int64
	Name   string
	Value  *string // nil where it is null or masked
	Masked bool    // the value is hidden from the API
}

func decodeVariable(raw json.RawMessage) (Variable, error) {
	o := wire.Open(raw)
	variable := Variable{
		ID:     o.Int64("id"),
		Name:   o.Name("name"),
		Value:  o.OptText("value"),
		Masked: o.Bool("masked"),
	}
	if variable.Masked {
		variable.Value = nil // what is sent in its place is no value
	}
	return variable, o.Err()
}

// SiteVariables lists the variables of a site. A site without any has an empty list;
// [transport.IsNotFound] tells that there is no such site.
func (c *Client) SiteVariables(ctx context.Context, uid string) (wire.Listing[Variable], error) {
	list, err := listAll(ctx, c, resource[Variable]{
		path: "/v2/site/" + url.PathEscape(uid) + "/variables", endpoint: "/v2/site/{uid}/variables",
		envelope: "variables", idField: "name",
		decode: decodeVariable, key: func(v Variable) string { return v.Name + "\x00" + strconv.FormatInt(v.ID, 10) },
	})
	if err != nil {
		return list, fmt.Errorf("listing variables of site %s: %w", uid, err)
	}
	return list, nil
}
