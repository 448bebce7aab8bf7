// A receiver of Waybill's webhooks, on Go alone: WEBHOOK_SECRET=whsec_… PORT=8000 go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var seen sync.Map // In earnest: a table with webhook-id as its unique key, written in the transaction of your work.

func verify(secret []byte, header http.Header, body []byte) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); err != nil || age.Abs() > 5*time.Minute {
		return false // Older or newer, it may be a replay.
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	for _, signature := range strings.Fields(header.Get("webhook-signature")) { // Several while a secret rotates.
		given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signature, "v1,"))
		if err == nil && hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

func main() {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_"))
	if err != nil {
		panic("WEBHOOK_SECRET is not whsec_ and base64")
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body) // As it came: parsing first breaks the signature.
		if err != nil || !verify(secret, request.Header, body) {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		id := request.Header.Get("webhook-id")
		if _, repeated := seen.LoadOrStore(id, true); !repeated {
			var event struct {
				Event   string `json:"event"`
				OrderID string `json:"order_id"`
			}
			_ = json.Unmarshal(body, &event)
			fmt.Println(id, event.Event, "of order", event.OrderID) // Your work.
		}
		response.WriteHeader(http.StatusNoContent) // A repeat is acknowledged too, or it comes again.
	})
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	panic(http.Serve(listener, nil))
}
