#!/bin/sh
# stripe 16.1.0 (Python) and stripe 23.1.0 (Node): a price of a ten-millionth of a cent in unit_amount_decimal, which
# takes up to 12 decimal places, given as each client's own decimal type; and 1.10, with its zero.
# Guess: both send the digits as written: 0.0000001 and 1.10.
# Seen: Python sends 1E-7, and 1E+2 for Decimal("100").normalize(), since it takes str() of a Decimal; Node sends
# 0.0000001, but 1.1 for 1.10, since its Decimal drops zeros at the end. So one price is two texts.
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
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
import stripe

class Keeper(BaseHTTPRequestHandler):
    def do_POST(self):
        print("python", self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id": "price_1", "object": "price"}')
    def log_message(self, *_): pass

server = HTTPServer(("127.0.0.1", 0), Keeper)
Thread(target=server.serve_forever, daemon=True).start()
client = stripe.StripeClient("sk_test_x", base_addresses={"api": f"http://127.0.0.1:{server.server_port}"})
for amount in (Decimal("0.0000001"), Decimal("1.10"), Decimal("100").normalize()):
    client.v1.prices.create({"unit_amount_decimal": amount})
END
cat > sent.cjs <<'END'
const Stripe = require("stripe");
const server = require("node:http").createServer(async (request, response) => {
  const chunks = await request.toArray();
  console.log("node", Buffer.concat(chunks).toString());
  response.end('{"id": "price_1", "object": "price"}');
});
server.listen(0, "127.0.0.1", async () => {
  const at = { host: "127.0.0.1", port: server.address().port, protocol: "http" };
  const stripe = new Stripe("sk_test_x", at);
  for (const amount of ["0.0000001", "1.10"]) {
    await stripe.prices.create({ unit_amount_decimal: Stripe.Decimal.from(amount) });
  }
  process.exit(0);
});
END
cat > wanted <<'END'
python unit_amount_decimal=1E-7
python unit_amount_decimal=1.10
python unit_amount_decimal=1E%2B2
node unit_amount_decimal=0.0000001
node unit_amount_decimal=1.1
END
{ venv/bin/python sent.py; node sent.cjs; } > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: the same prices are different texts, and some have exponents"
