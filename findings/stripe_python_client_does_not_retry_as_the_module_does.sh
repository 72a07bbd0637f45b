#!/bin/sh
# stripe 16.1.0 (Python): how often a create is tried when the server answers 503, nothing being configured.
# Guess: three times both ways, since stripe.max_network_retries is 2.
# Seen: stripe.Customer.create() three times; StripeClient(…).v1.customers.create() once. The client has a default of
# its own, None, which means 0, and does not look at the module's 2; stripe-node and stripe-go clients do retry.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "stripe==16.1.0" "requests==2.32.5"
cat > tries.py <<'END'
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
import stripe

tries = []

class Down(BaseHTTPRequestHandler):
    def do_POST(self):
        tries.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b'{"error": {"type": "api_error", "message": "down"}}')
    def log_message(self, *_): pass

def counted(create):
    tries.clear()
    try:
        create()
    except stripe.APIError:
        return len(tries)

server = HTTPServer(("127.0.0.1", 0), Down)
Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
stripe.api_key, stripe.api_base = "sk_test_x", url
client = stripe.StripeClient("sk_test_x", base_addresses={"api": url})
print("stripe.max_network_retries:", stripe.max_network_retries)
print("stripe.Customer.create:", counted(stripe.Customer.create), "tries")
print("StripeClient:", counted(client.v1.customers.create), "tries")
END
cat > wanted <<'END'
stripe.max_network_retries: 2
stripe.Customer.create: 3 tries
StripeClient: 1 tries
END
venv/bin/python tries.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: the recommended client does not retry unless told to"
