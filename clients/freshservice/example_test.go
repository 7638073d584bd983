package freshservice_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
)

// A listing says what could not be understood, and whether it is complete.
func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"departments":[
			{"id":21000418006,"name":"Contoso","custom_fields":{"account_number":620547}},
			{"id":21000418007,"name":{"odd":true}}]}`)
	}))
	defer upstream.Close()

	client, err := freshservice.New(freshservice.Options{
		BaseURL: upstream.URL, APIKey: "key", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	meter := &transport.Meter{}
	list, err := client.Departments(transport.WithMeter(context.Background(), meter))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, department := range list.Items {
		number, _ := department.CustomFields.Text("account_number")
		fmt.Println(department.ID, department.Name, number)
	}
	for _, bad := range list.Bad {
		fmt.Println(bad.ID, bad.Reason)
	}
	fmt.Println("complete:", list.Complete, "requests:", meter.Stats().Requests)
	// Output:
	// 21000418006 Contoso 620547
	// 21000418007 name: neither text nor a number
	// complete: true requests: 1
}
