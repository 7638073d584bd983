package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Notification is something that needs a person, told or to be told to the webhook of section
// [notify]. It is written in the transaction in which the thing itself was (package notify), so
// neither is there without the other. Nothing that is evidence refers to it.
type Notification struct{ ent.Schema }

// Fields of the table notifications.
func (Notification) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable().Comment("a UUID; the same with each attempt, so that a receiver can tell repetitions"),
		field.String("kind").Immutable().Comment("a word of package notify: sync.failed, job.blocked, log.unverified ..."),
		field.String("subject").Immutable().Comment("what it is about: feed/freshservice, job/<id>, log"),
		field.Text("body").Immutable().Comment("the JSON object that is sent, byte for byte with each attempt"),
		field.Time("created_at").Immutable(),
		instant("next_at", "when it is to be tried next; null once it was delivered or given up"),
		field.Int("attempts").Default(0).Comment("how often it was tried since it was queued, or queued again by a person"),
		instant("delivered_at", "when the receiver answered 2xx; null until then"),
		instant("gave_up_at", "when it was tried for the last time; null unless it was given up"),
		text("last_error", "why the last attempt failed, for people; null while none did"),
	}
}

// Indexes of the table notifications.
func (Notification) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("next_at"),               // what is due
		index.Fields("subject", "created_at"), // the last one about a subject
		index.Fields("created_at"),
	}
}

// Annotations name the table.
func (Notification) Annotations() []schema.Annotation { return table("notifications") }
