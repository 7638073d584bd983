package plans

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
)

// maxFile is how large a file of plans may be, in bytes: a thousand plans have less than one megabyte.
const maxFile = 16 << 20

// File is what a file of plans holds (docs/compatibility.md, "Billing plans").
type File struct {
	Plans []Plan
	// Options are nil where the file says nothing of them.
	Options []FeatureOption
	// Categories are ours: how categories are shown; nil where the file says nothing of them.
	Categories []FeatureCategory
}

// ParseFile takes a file of plans as [File.Encode] and the HiveMatrix services write it: {"plans": [plan],
// "feature_options": […]}, or the bare array of plans that the oldest path gave. Prices may be numbers or
// texts of numbers. Features are an object, features, or keys of the plan itself, as before November 2025.
// Ids are not looked at, and neither are other keys of the file itself.
//
// An error is a [codex.CodeBadInput] that names the plan, and the key within it.
func ParseFile(content []byte) (File, error) {
	if len(content) > maxFile {
		return File{}, codex.BadInput("file", "a file of plans has at most %d bytes", maxFile)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	var top struct {
		Plans      *[]map[string]json.RawMessage `json:"plans"`
		Options    []map[string]json.RawMessage  `json:"feature_options"`
		Categories []map[string]json.RawMessage  `json:"feature_categories"`
	}
	var into any = &top
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("[")) {
		into = &top.Plans
	}
	if err := json.Unmarshal(content, into); err != nil {
		return File{}, codex.BadInput("file", `this is no file of plans, {"plans": [plan], "feature_options": […]}: %s`, jsonReason(err))
	}
	if top.Plans == nil {
		return File{}, codex.BadInput("plans", "the file has no list of plans")
	}
	file := File{Plans: []Plan{}}
	seen := map[Key]bool{}
	for i, object := range *top.Plans {
		place := fmt.Sprintf("plans[%d]", i)
		plan, err := parsePlan(object)
		if err == nil && seen[plan.Key()] {
			err = codex.BadInput("term_length", "the file has this plan twice")
		}
		if err != nil {
			return File{}, at(place, planTitle(object), err)
		}
		seen[plan.Key()] = true
		file.Plans = append(file.Plans, plan)
	}
	if err := parseOptions(&file, top.Options); err != nil {
		return File{}, err
	}
	if err := parseCategories(&file, top.Categories); err != nil {
		return File{}, err
	}
	return file, nil
}

// planTitle is what to call a plan that may have no proper name.
func planTitle(object map[string]json.RawMessage) string {
	name, _ := textOf(first(object, "plan_name", "billing_plan"))
	term, _ := textOf(object["term_length"])
	return "plan " + Key{Name: name, Term: term}.String()
}

// at says where in the file an error is.
func at(place, title string, err error) error {
	var coded *codex.Error
	if !errors.As(err, &coded) {
		return err
	}
	field := place
	if coded.Field != "" {
		field, title = field+"."+coded.Field, title+", "+coded.Field // the command line shows the message alone
	}
	return &codex.Error{Code: coded.Code, Field: field, Message: title + ": " + coded.Message}
}

func parsePlan(object map[string]json.RawMessage) (Plan, error) {
	plan := Blank(Key{})
	for _, text := range []struct {
		field string
		raw   json.RawMessage
		into  *string
	}{
		{"plan_name", first(object, "plan_name", "billing_plan"), &plan.Name},
		{"term_length", object["term_length"], &plan.Term},
		{"support_level", object["support_level"], &plan.SupportLevel},
	} {
		if isNull(text.raw) {
			continue
		}
		var err error
		if *text.into, err = textOf(text.raw); err != nil {
			return plan, codex.BadInput(text.field, "%s", err)
		}
	}
	for _, price := range Prices() {
		if err := parsePriceOf(&plan, price, object[price.Name]); err != nil {
			return plan, err
		}
	}
	features, err := featuresOf(object)
	if err != nil {
		return plan, err
	}
	plan.Features = features
	return plan, plan.check()
}

func parsePriceOf(plan *Plan, price Price, raw json.RawMessage) error {
	if isNull(raw) {
		if price.Name == "backup_included_tb" { // the contract has a default for this one alone
			return nil
		}
		return codex.BadInput(price.Name, "%s", errMissing)
	}
	text := string(raw)
	if raw[0] == '"' {
		var err error
		if text, err = textOf(raw); err != nil {
			return codex.BadInput(price.Name, "%s", err)
		}
	}
	number, err := parsePrice(text)
	if err != nil {
		return codex.BadInput(price.Name, "%s", err)
	}
	*price.Of(plan) = number
	return nil
}

// featuresOf are the features of a plan: those of its object features and, of what is there of older
// generations, the plan's keys that are none of the contract. What is null or empty is not there.
func featuresOf(object map[string]json.RawMessage) ([]Feature, error) {
	values := map[string]json.RawMessage{}
	for key, raw := range object {
		switch {
		case isPlanKey(key):
		case strings.HasPrefix(key, "per_"), strings.HasPrefix(key, "backup_"): // a price that was misspelt
			return nil, codex.BadInput(key, "plans have no such price")
		default:
			values[key] = raw
		}
	}
	if raw := object["features"]; !isNull(raw) {
		var own map[string]json.RawMessage
		if err := json.Unmarshal(raw, &own); err != nil {
			return nil, codex.BadInput("features", `give an object, {"<category>": "<value>"}`)
		}
		for category, value := range own {
			values[category] = value
		}
	}
	features := []Feature{}
	for category, raw := range values {
		if isNull(raw) {
			continue
		}
		value, err := textOf(raw)
		if err != nil {
			return nil, codex.BadInput("features."+category, "%s", err)
		}
		if value != "" {
			features = append(features, Feature{Category: category, Value: value})
		}
	}
	return features, nil
}

func parseOptions(file *File, objects []map[string]json.RawMessage) error {
	if objects == nil {
		return nil
	}
	file.Options = []FeatureOption{}
	for i, object := range objects {
		var option FeatureOption
		err := texts(
			given{"category", first(object, "category", "feature_category"), &option.Category, nil},
			given{"value", first(object, "value", "option_value"), &option.Value, nil},
			given{"display_name", object["display_name"], nil, &option.DisplayName},
			given{"description", object["description"], nil, &option.Description},
		)
		same := func(o FeatureOption) bool { return optionKey(o) == optionKey(option) }
		if err == nil && slices.ContainsFunc(file.Options, same) {
			err = codex.BadInput("value", "the file has this option twice")
		}
		if err != nil {
			return at(fmt.Sprintf("feature_options[%d]", i), "feature option "+optionKey(option).String(), err)
		}
		file.Options = append(file.Options, option)
	}
	return nil
}

func parseCategories(file *File, objects []map[string]json.RawMessage) error {
	if objects == nil {
		return nil
	}
	file.Categories = []FeatureCategory{}
	for i, object := range objects {
		var category FeatureCategory
		err := texts(
			given{"category", first(object, "category", "feature_key"), &category.Category, nil},
			given{"display_name", object["display_name"], &category.DisplayName, nil},
			given{"full_name", object["full_name"], nil, &category.FullName},
			given{"description", object["description"], nil, &category.Description},
		)
		same := func(c FeatureCategory) bool { return c.Category == category.Category }
		if err == nil && slices.ContainsFunc(file.Categories, same) {
			err = codex.BadInput("category", "the file has this category twice")
		}
		if err != nil {
			return at(fmt.Sprintf("feature_categories[%d]", i), "feature category "+category.Category, err)
		}
		file.Categories = append(file.Categories, category)
	}
	return nil
}

// given is a text of a file: one that must be there, of one line, or one that may be null.
type given struct {
	field string
	raw   json.RawMessage
	must  *string
	may   **string
}

func texts(fields ...given) error {
	for _, f := range fields {
		if isNull(f.raw) && f.may != nil {
			continue
		}
		text := ""
		if !isNull(f.raw) {
			var err error
			if text, err = textOf(f.raw); err != nil {
				return codex.BadInput(f.field, "%s", err)
			}
		}
		if f.may != nil {
			*f.may = &text
			continue
		}
		*f.must = text
		if err := checkText(f.field, text); err != nil {
			return err
		}
	}
	return nil
}

// textOf is a text of JSON. U+0000, which PostgreSQL takes nowhere, is none.
func textOf(raw json.RawMessage) (string, error) {
	var text string
	if isNull(raw) || json.Unmarshal(raw, &text) != nil {
		return "", errors.New("give a text, in quotation marks")
	}
	if strings.ContainsRune(text, 0) {
		return "", errors.New("this text has a character that cannot be kept, U+0000")
	}
	return text, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// first is the value of the first of keys that has one.
func first(object map[string]json.RawMessage, keys ...string) json.RawMessage {
	for _, key := range keys {
		if !isNull(object[key]) {
			return object[key]
		}
	}
	return nil
}

func jsonReason(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("%s must not be a %s", kind.Field, kind.Value)
	}
	return err.Error()
}
