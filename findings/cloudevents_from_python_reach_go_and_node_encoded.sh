#!/bin/sh
# cloudevents 2.2.0 (PyPI), cloudevents 10.0.0 (npm) and sdk-go v2.16.2 (Go), all of the CloudEvents project: an event with a
# subject and an extension that have a space and a percent sign in them, as the headers of HTTP's binary mode.
# Guess: what one writes the others read. The HTTP binding 1.0.2, 3.1.3.2, has spaces, quotes, percent signs and all that is not
# ASCII percent-encoded by who writes and decoded by who reads.
# Seen: Python does both, Go and Node neither: the invoice "A 17/2026" of Python is "A%2017/2026" in Go and in Node, without
# an error, and no longer equal to the one in the books. Written by Go or Node, "5%20" is "5 " in Python.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "cloudevents==2.2.0"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "cloudevents@10.0.0"
cat > told.py <<'END'
import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

if sys.argv[1] == "write":
    event = CloudEvent(
        {"specversion": "1.0", "id": "1", "source": "/bills", "type": "billed", "subject": "10% off", "invoice": "A 17/2026"},
        {"cents": 1999},
    )
    print(json.dumps(dict(to_binary_event(event).headers)))
else:
    event = from_http_event(HTTPMessage(headers=json.load(sys.stdin), body=b"{}"))
    print(f"Python reads {event.get_subject()!r}, {event.get_extension('invoice')!r}")
END
cat > told.mjs <<'END'
import { readFileSync } from "fs";
import { CloudEvent, HTTP } from "cloudevents";

if (process.argv[2] === "write") {
  const event = new CloudEvent({ id: "1", source: "/bills", type: "billed", subject: "5%20", invoice: "A 17/2026", data: {} });
  console.log(JSON.stringify(HTTP.binary(event).headers));
} else {
  const { subject, invoice } = HTTP.toEvent({ headers: JSON.parse(readFileSync(0, "utf8")), body: "{}" });
  console.log(`Node reads '${subject}', '${invoice}'`);
}
END
cat > go.mod <<'END'
module finding

go 1.26

require github.com/cloudevents/sdk-go/v2 v2.16.2
END
cat > main.go <<'END'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	transport "github.com/cloudevents/sdk-go/v2/protocol/http"
)

func main() {
	request, err := http.NewRequest("POST", "http://127.0.0.1/", strings.NewReader("{}"))
	check(err)
	headers := map[string]string{}
	if os.Args[1] == "write" {
		event := cloudevents.NewEvent()
		event.SetID("1")
		event.SetSource("/bills")
		event.SetType("billed")
		event.SetSubject("5%20")
		event.SetExtension("invoice", "A 17/2026")
		check(transport.WriteRequest(context.Background(), binding.ToMessage(&event), request))
		for name := range request.Header {
			headers[strings.ToLower(name)] = request.Header.Get(name)
		}
		check(json.NewEncoder(os.Stdout).Encode(headers))
		return
	}
	check(json.NewDecoder(os.Stdin).Decode(&headers))
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	event, err := cloudevents.NewEventFromHTTPRequest(request)
	check(err)
	fmt.Printf("Go reads '%s', '%s'\n", event.Subject(), event.Extensions()["invoice"])
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
END
export GOFLAGS=-mod=mod
go build -o told . 2> built || { cat built; exit 2; }
{
  venv/bin/python told.py write > headers
  echo "written by Python:"
  venv/bin/python told.py read < headers
  ./told read < headers
  node told.mjs read < headers
  echo "written by Go:"
  ./told write | venv/bin/python told.py read
  echo "written by Node:"
  node told.mjs write | venv/bin/python told.py read
} > seen
cat seen
cat > wanted <<'END'
written by Python:
Python reads '10% off', 'A 17/2026'
Go reads '10%25%20off', 'A%2017/2026'
Node reads '10%25%20off', 'A%2017/2026'
written by Go:
Python reads '5 ', 'A 17/2026'
written by Node:
Python reads '5 ', 'A 17/2026'
END
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: an invoice of Python's has another number in Go and in Node"
