package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/hivematrix/codex/simulator"
)

// A test starts a simulator, asks it as a client would, breaks an answer, changes the world and asks
// again.
func Example() {
	server, err := simulator.Start(context.Background(), simulator.Options{Companies: 5, Plain: true}, simulator.Addresses{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() {
		if err := server.Close(); err != nil {
			fmt.Println(err)
		}
	}()

	contoso, _ := server.DepartmentNamed("Contoso")
	ask := func() {
		address := fmt.Sprintf("%s/api/v2/departments/%d", server.FreshserviceURL, contoso.ID)
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		request.SetBasicAuth(server.FreshserviceKey, "X")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer response.Body.Close()
		var body struct {
			Department struct{ Name string }
		}
		err = json.NewDecoder(response.Body).Decode(&body)
		fmt.Println(response.StatusCode, body.Department.Name, err)
	}

	if _, err := server.AddFault(simulator.FaultRule{
		Path: "/api/v2/departments/*", Times: 1,
		Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 500, Body: `{}`},
	}); err != nil {
		fmt.Println(err)
	}
	ask()
	ask()
	if err := server.RenameDepartment(contoso.ID, "Contoso Ltd"); err != nil {
		fmt.Println(err)
	}
	ask()
	fmt.Println(server.CountRequests(simulator.Freshservice, "/api/v2/departments/*"), "calls")

	// Output:
	// 500  <nil>
	// 200 Contoso <nil>
	// 200 Contoso Ltd <nil>
	// 3 calls
}

// A test breaks what it is about, in its own words, and looks at what the caller makes of it.
func ExampleSim_Break() {
	sim, err := simulator.New(simulator.Options{Plain: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, armed := range []func() (func(), error){
		func() (func(), error) { return sim.Break("/api/v2/requesters", simulator.RepeatPage(3)) },
		func() (func(), error) {
			return sim.Break("/api/v2/tickets/**", simulator.RateLimited(7*time.Second), simulator.After(40), simulator.Times(20))
		},
		func() (func(), error) {
			return sim.Break("/api/v2/account/devices", simulator.ForeignNextPage("https://elsewhere.example"), simulator.OnPage(2))
		},
		func() (func(), error) {
			return sim.BetweenPages("/api/v2/departments", 1, func(s *simulator.Sim) {
				s.AddDepartment(simulator.Department{Name: "Newcomer"})
			})
		},
	} {
		if _, err := armed(); err != nil {
			fmt.Println(err)
		}
	}
	for _, rule := range sim.Faults() {
		fmt.Println(rule.Path, rule.Fault.Kind, rule.Fault.Page, rule.After, rule.Times)
	}

	// Output:
	// /api/v2/requesters repeat_page 3 0 0
	// /api/v2/tickets/** refuse 0 40 20
	// /api/v2/account/devices foreign_next 2 0 0
	// /api/v2/departments change 2 0 1
}
