package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

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
