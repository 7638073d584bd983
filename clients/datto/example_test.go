package datto_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hivematrix/codex/clients/datto"
)

// A listing says what could not be understood, and whether as many records came as there are.
func Example() {
	upstream := http.NewServeMux()
	upstream.HandleFunc("POST /auth/oauth/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"access_token":"eyJ","token_type":"bearer","expires_in":360000}`)
	})
	upstream.HandleFunc("GET /api/v2/system/request_rate", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"accountUid":"abc00f00d","accountCount":1,"accountRateLimit":600,"accountCutOffRatio":0.9}`)
	})
	upstream.HandleFunc("GET /api/v2/account/devices", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"pageDetails":{"count":2,"totalCount":3,"nextPageUrl":null},"devices":[
			{"uid":"c0a8e1de","hostname":"CONTOSO-L01","udf":{"udf6":"1099511627776"}},
			{"uid":"c0a8e1df","lastSeen":"yesterday"}]}`)
	})
	server := httptest.NewServer(upstream)
	defer server.Close()

	client, err := datto.New(datto.Options{
		BaseURL: server.URL, PublicKey: "key", SecretKey: "secret", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := client.AccountDevices(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, device := range list.Items {
		backup, told := device.UDF.Text(6)
		fmt.Println(device.UID, device.Hostname, backup, told)
	}
	for _, bad := range list.Bad {
		fmt.Println(bad.ID, bad.Reason)
	}
	fmt.Println("complete:", list.Complete, "of", list.Total)
	// Output:
	// c0a8e1de CONTOSO-L01 1099511627776 true
	// c0a8e1df lastSeen: no date
	// complete: false of 3
}
