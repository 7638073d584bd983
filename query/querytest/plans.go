package querytest

import (
	"errors"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// plans are three: Gold (1 Year), which 620547 has, every price another one, with two features and a past in
// which users were cheaper; Gold (Month to Month), free of charge; Silver (2 Year), which was deleted.
func (w writer) plans() {
	must[*ent.Plan](w)(w.plan(1, "Gold", "1 Year", 1).Save(w.ctx))
	must[*ent.Plan](w)(w.plan(2, "Gold", "Month to Month", 0).Save(w.ctx))
	for category, value := range map[string]string{"soc": "Arctic Wolf", "antivirus": "SentinelOne"} {
		must[*ent.PlanFeature](w)(w.client.PlanFeature.Create().SetPlanID(1).SetFeatureType(category).SetFeatureValue(value).Save(w.ctx))
	}
	const both = `{"antivirus":"SentinelOne","soc":"Arctic Wolf"}`
	must[*ent.PlanVersion](w)(w.planVersion(1, "Gold", "1 Year", 1, At(2)).SetPerUserCostE4(1_0000).SetFeatures(`{"antivirus":"Defender","e_":"x"}`).
		SetSeenTo(At(12)).SetEndedBy("ann").Save(w.ctx))
	must[*ent.PlanVersion](w)(w.planVersion(1, "Gold", "1 Year", 1, At(12)).SetFeatures(both).SetChangedBy("ann").Save(w.ctx))
	must[*ent.PlanVersion](w)(w.planVersion(2, "Gold", "Month to Month", 0, At(2)).Save(w.ctx))
	must[*ent.PlanVersion](w)(w.planVersion(3, "Silver", "2 Year", 1, At(2)).SetSeenTo(At(3)).SetEndedBy("ben").Save(w.ctx))
	must[*ent.FeatureOption](w)(w.client.FeatureOption.Create().SetID(1).SetFeatureCategory("soc").SetOptionValue("Arctic Wolf").SetDisplayName("AW").Save(w.ctx))
}

// plan is one whose prices are 1.25, 2.50 and so on, times as often.
func (w writer) plan(id int, name, term string, times codex.Quantity) *ent.PlanCreate {
	const step = 1_2500
	return w.client.Plan.Create().SetID(id).SetPlanName(name).SetTermLength(term).SetSupportLevel("All Inclusive").
		SetPerUserCostE4(1 * step * times).SetPerWorkstationCostE4(2 * step * times).SetPerServerCostE4(3 * step * times).
		SetPerVMCostE4(4 * step * times).SetPerSwitchCostE4(5 * step * times).SetPerFirewallCostE4(6 * step * times).
		SetPerHourTicketCostE4(7 * step * times).SetBackupBaseFeeWorkstationE4(8 * step * times).SetBackupBaseFeeServerE4(9 * step * times).
		SetBackupIncludedTbE4(10 * step * times).SetBackupPerTbFeeE4(11 * step * times)
}

func (w writer) planVersion(id int, name, term string, times codex.Quantity, from time.Time) *ent.PlanVersionCreate {
	const step = 1_2500
	return w.client.PlanVersion.Create().SetPlanID(id).SetPlanName(name).SetTermLength(term).SetSupportLevel("All Inclusive").
		SetPerUserCostE4(1 * step * times).SetPerWorkstationCostE4(2 * step * times).SetPerServerCostE4(3 * step * times).
		SetPerVMCostE4(4 * step * times).SetPerSwitchCostE4(5 * step * times).SetPerFirewallCostE4(6 * step * times).
		SetPerHourTicketCostE4(7 * step * times).SetBackupBaseFeeWorkstationE4(8 * step * times).SetBackupBaseFeeServerE4(9 * step * times).
		SetBackupIncludedTbE4(10 * step * times).SetBackupPerTbFeeE4(11 * step * times).
		SetFeatures("{}").SetSeenFrom(from)
}

// manyPlan is the name of the plan that a company of [Many] has: each has its own, month to month. Of every
// other company there is none of that name.
func manyPlan(i int) string { return fmt.Sprintf("Plan %04d", i+1) }

func (w writer) manyPlans(n int) error {
	var plans []*ent.PlanCreate
	var features []*ent.PlanFeatureCreate
	var past []*ent.PlanVersionCreate
	for i := 0; i < n; i += 2 {
		plans = append(plans, w.plan(i+1, manyPlan(i), "Month to Month", 1))
		features = append(features, w.client.PlanFeature.Create().SetPlanID(i+1).SetFeatureType("soc").SetFeatureValue("x"))
		past = append(past, w.planVersion(i+1, manyPlan(i), "Month to Month", 1, At(1)))
	}
	return errors.Join(
		w.client.Plan.CreateBulk(plans...).Exec(w.ctx),
		w.client.PlanFeature.CreateBulk(features...).Exec(w.ctx),
		w.client.PlanVersion.CreateBulk(past...).Exec(w.ctx),
	)
}
