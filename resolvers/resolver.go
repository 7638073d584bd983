package resolvers

import (
	"context"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

// resolver is what the resolvers of all types work with.
type resolver struct {
	reader    *query.Reader
	sync      Syncer
	runs      RunAdmin
	companies CompanyAdmin
	jobs      Jobs
	schedule  Scheduler
	local     LocalAdmin
	progress  Progress
	tokens    TokenAdmin
	log       Log
	reviews   Reviewer
	billed    Reconciler
	bills     Bills
	plans     Plans
	now       func() time.Time

	notifier      Notifier
	verifications Verifications
}

var _ exec.ResolverRoot = (*resolver)(nil)

type (
	queryResolver               struct{ *resolver }
	mutationResolver            struct{ *resolver }
	subscriptionResolver        struct{ *resolver }
	companyResolver             struct{ *resolver }
	companyConnectionResolver   struct{ *resolver }
	assetConnectionResolver     struct{ *resolver }
	contactConnectionResolver   struct{ *resolver }
	locationConnectionResolver  struct{ *resolver }
	ticketConnectionResolver    struct{ *resolver }
	assetResolver               struct{ *resolver }
	contactResolver             struct{ *resolver }
	locationResolver            struct{ *resolver }
	dattoSiteLinkResolver       struct{ *resolver }
	ticketResolver              struct{ *resolver }
	timeEntryResolver           struct{ *resolver }
	syncRunResolver             struct{ *resolver }
	syncRunConnectionResolver   struct{ *resolver }
	runChangeConnectionResolver struct{ *resolver }
	syncIssueConnectionResolver struct{ *resolver }

	logCheckpointResolver           struct{ *resolver }
	logCheckpointConnectionResolver struct{ *resolver }
)

func (r *resolver) Query() exec.QueryResolver               { return queryResolver{r} }
func (r *resolver) Mutation() exec.MutationResolver         { return mutationResolver{r} }
func (r *resolver) Subscription() exec.SubscriptionResolver { return subscriptionResolver{r} }
func (r *resolver) Company() exec.CompanyResolver           { return companyResolver{r} }
func (r *resolver) CompanyConnection() exec.CompanyConnectionResolver {
	return companyConnectionResolver{r}
}
func (r *resolver) AssetConnection() exec.AssetConnectionResolver {
	return assetConnectionResolver{r}
}
func (r *resolver) ContactConnection() exec.ContactConnectionResolver {
	return contactConnectionResolver{r}
}
func (r *resolver) LocationConnection() exec.LocationConnectionResolver {
	return locationConnectionResolver{r}
}
func (r *resolver) TicketConnection() exec.TicketConnectionResolver {
	return ticketConnectionResolver{r}
}
func (r *resolver) Asset() exec.AssetResolver                 { return assetResolver{r} }
func (r *resolver) Contact() exec.ContactResolver             { return contactResolver{r} }
func (r *resolver) Location() exec.LocationResolver           { return locationResolver{r} }
func (r *resolver) DattoSiteLink() exec.DattoSiteLinkResolver { return dattoSiteLinkResolver{r} }
func (r *resolver) Ticket() exec.TicketResolver               { return ticketResolver{r} }
func (r *resolver) TimeEntry() exec.TimeEntryResolver         { return timeEntryResolver{r} }
func (r *resolver) SyncRun() exec.SyncRunResolver             { return syncRunResolver{r} }
func (r *resolver) SyncRunConnection() exec.SyncRunConnectionResolver {
	return syncRunConnectionResolver{r}
}
func (r *resolver) RunChangeConnection() exec.RunChangeConnectionResolver {
	return runChangeConnectionResolver{r}
}
func (r *resolver) SyncIssueConnection() exec.SyncIssueConnectionResolver {
	return syncIssueConnectionResolver{r}
}
func (r *resolver) Plan() exec.PlanResolver                       { return planResolver{r} }
func (r *resolver) BillReview() exec.BillReviewResolver           { return billReviewResolver{r} }
func (r *resolver) CompanyReview() exec.CompanyReviewResolver     { return companyReviewResolver{r} }
func (r *resolver) ReviewFlag() exec.ReviewFlagResolver           { return reviewFlagResolver{r} }
func (r *resolver) Acknowledgement() exec.AcknowledgementResolver { return acknowledgementResolver{r} }
func (r *resolver) Reconciliation() exec.ReconciliationResolver   { return reconciliationResolver{r} }
func (r *resolver) ReconciledBill() exec.ReconciledBillResolver   { return reconciledBillResolver{r} }
func (r *resolver) BillDifference() exec.BillDifferenceResolver   { return billDifferenceResolver{r} }
func (r *resolver) UnbilledCompany() exec.UnbilledCompanyResolver { return unbilledCompanyResolver{r} }
func (r *resolver) Past() exec.PastResolver                       { return pastResolver{r} }
func (r *resolver) Coverage() exec.CoverageResolver               { return coverageResolver{r} }
func (r *resolver) PastCompany() exec.PastCompanyResolver         { return pastCompanyResolver{r} }
func (r *resolver) PastCompanyConnection() exec.PastCompanyConnectionResolver {
	return pastCompanyConnectionResolver{r}
}
func (r *resolver) PastAssetConnection() exec.PastAssetConnectionResolver {
	return pastAssetConnectionResolver{r}
}
func (r *resolver) PastContactConnection() exec.PastContactConnectionResolver {
	return pastContactConnectionResolver{r}
}
func (r *resolver) PastLocationConnection() exec.PastLocationConnectionResolver {
	return pastLocationConnectionResolver{r}
}
func (r *resolver) PastTicketConnection() exec.PastTicketConnectionResolver {
	return pastTicketConnectionResolver{r}
}
func (r *resolver) PastAsset() exec.PastAssetResolver         { return pastAssetResolver{r} }
func (r *resolver) PastContact() exec.PastContactResolver     { return pastContactResolver{r} }
func (r *resolver) PastLocation() exec.PastLocationResolver   { return pastLocationResolver{r} }
func (r *resolver) PastTicket() exec.PastTicketResolver       { return pastTicketResolver{r} }
func (r *resolver) RecordVersion() exec.RecordVersionResolver { return recordVersionResolver{r} }
func (r *resolver) FieldChange() exec.FieldChangeResolver     { return fieldChangeResolver{r} }
func (r *resolver) Change() exec.ChangeResolver               { return changeResolver{r} }
func (r *resolver) ChangeConnection() exec.ChangeConnectionResolver {
	return changeConnectionResolver{r}
}
func (r *resolver) SnapshotJob() exec.SnapshotJobResolver { return snapshotJobResolver{r} }
func (r *resolver) SnapshotJobCompany() exec.SnapshotJobCompanyResolver {
	return snapshotJobCompanyResolver{r}
}
func (r *resolver) SnapshotJobConnection() exec.SnapshotJobConnectionResolver {
	return snapshotJobConnectionResolver{r}
}
func (r *resolver) SnapshotPreview() exec.SnapshotPreviewResolver { return snapshotPreviewResolver{r} }
func (r *resolver) SnapshotPreviewCompany() exec.SnapshotPreviewCompanyResolver {
	return snapshotPreviewCompanyResolver{r}
}
func (r *resolver) StaleFeed() exec.StaleFeedResolver { return staleFeedResolver{r} }
func (r *resolver) Schedule() exec.ScheduleResolver   { return scheduleResolver{r} }
func (r *resolver) SnapshotSchedule() exec.SnapshotScheduleResolver {
	return snapshotScheduleResolver{r}
}
func (r *resolver) MissedMonth() exec.MissedMonthResolver     { return missedMonthResolver{r} }
func (r *resolver) LogCheckpoint() exec.LogCheckpointResolver { return logCheckpointResolver{r} }
func (r *resolver) LogCheckpointConnection() exec.LogCheckpointConnectionResolver {
	return logCheckpointConnectionResolver{r}
}

// Me is who is asking.
func (r queryResolver) Me(ctx context.Context) (*codex.Caller, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	return &caller, nil
}

// one is what a root field gives that asks for one thing: null where there is none.
func one[T any](ctx context.Context, found *T, err error) (*T, error) {
	switch {
	case codex.CodeOf(err) == codex.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return found, loaders.Announce(ctx, found)
}

// intID is an id that is an integer.
func intID(argument, id string) (int, error) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, codex.BadInput(argument, "this id is a string of digits")
	}
	return n, nil
}

// pageOf is the page that the arguments first and after ask for.
func pageOf(first *int, after *string) (query.Page, error) {
	page := query.Page{First: query.DefaultPage}
	if first != nil {
		page.First = *first
	}
	if after != nil {
		if *after == "" {
			return page, codex.BadInput("after", "an empty text is no cursor: leave it out for the first page")
		}
		page.After = *after
	}
	return page, nil
}

// edgeOf is what the arguments of an edge ask for.
func edgeOf(filter map[string]any, orderBy []*query.Order, first *int) (query.Edge, error) {
	wanted := query.Edge{List: query.List{Filter: filter, OrderBy: orderBy}}
	if first != nil {
		if *first < 1 || *first > query.MaxPage {
			return wanted, codex.BadInput("first", "an edge is cut at 1 to %d rows, not %d", query.MaxPage, *first)
		}
		wanted.First = *first
	}
	return wanted, nil
}

// pageInfo says where page lies.
func pageInfo[T any](page *query.PageOf[T]) *model.PageInfo {
	info := &model.PageInfo{HasNextPage: page.More, HasPreviousPage: page.Before}
	if n := len(page.Cursors); n > 0 {
		info.StartCursor, info.EndCursor = &page.Cursors[0], &page.Cursors[n-1]
	}
	return info
}

// value is what p points to, or its type's zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
