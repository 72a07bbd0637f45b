#!/bin/sh
# stripe 16.1.0 (Python) and stripe 23.1.0 (Node): one update that takes two values away, with the language's own
# word for nothing: a customer's phone and one key of its metadata. Both clients are generated from one description.
# Guess: None and null are the same order: both delete, or both leave alone.
# Seen: Node sends phone=&metadata[a]=, which deletes both at Stripe; Python sends an empty body, so nothing is
# changed, and the answer is 200. In Python "" deletes.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "stripe==16.1.0" "requests==2.32.5"
echo '{"private": true}' > package.json
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock stripe@23.1.0
cat > sent.py <<'END'
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
import stripe

class Keeper(BaseHTTPRequestHandler):
    def do_POST(self):
        print(f'python [{self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()}]', flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id": "cus_1", "object": "customer"}')
    def log_message(self, *_): pass

server = HTTPServer(("127.0.0.1", 0), Keeper)
Thread(target=server.serve_forever, daemon=True).start()
client = stripe.StripeClient("sk_test_x", base_addresses={"api": f"http://127.0.0.1:{server.server_port}"})
client.v1.customers.update("cus_1", {"phone": None, "metadata": {"a": None}})
client.v1.customers.update("cus_1", {"phone": "", "metadata": {"a": ""}})
END
cat > sent.cjs <<'END'
const Stripe = require("stripe");
const server = require("node:http").createServer(async (request, response) => {
  const chunks = await request.toArray();
  console.log(`node [${Buffer.concat(chunks)}]`);
  response.end('{"id": "cus_1", "object": "customer"}');
});
server.listen(0, "127.0.0.1", async () => {
  const at = { host: "127.0.0.1", port: server.address().port, protocol: "http" };
  await new Stripe("sk_test_x", at).customers.update("cus_1", { phone: null, metadata: { a: null } });
  process.exit(0);
});
END
cat > wanted <<'END'
python []
python [phone=&metadata[a]=]
node [phone=&metadata[a]=]
END
{ venv/bin/python sent.py; node sent.cjs; } > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: None keeps what null deletes"
