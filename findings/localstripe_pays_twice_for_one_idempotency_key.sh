#!/bin/sh
# localstripe 1.15.10 (Python): a payment of 10.00 is created twice with the same Idempotency-Key, by stripe 12.5.1.
# Guess: the second answer is the first payment again, as Stripe does and as a test of retries needs it; the server
# keeps what was created and is meant for end-to-end tests.
# Seen: two payments with two ids, and both are listed. It does not look at the header, so a client that makes a key
# anew for each retry, and would charge a card twice at Stripe, passes its tests here just as one that keeps the key.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "localstripe==1.15.10" "stripe==12.5.1"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/python -m localstripe --port "$port" > log 2>&1 &
server=$!
cat > pay.py <<'END'
import sys
import time

import stripe

stripe.api_key, stripe.api_base = "sk_test_12345", f"http://127.0.0.1:{sys.argv[1]}"
stripe.max_network_retries = 0
for _ in range(100):
    try:
        stripe.PaymentIntent.list()
        break
    except stripe.APIConnectionError:
        time.sleep(0.1)
made = [
    stripe.PaymentIntent.create(amount=1000, currency="usd", idempotency_key="flight-1").id for _ in range(2)
]
print("payments answered:", len(set(made)))
print("payments listed:", len({one.id for one in stripe.PaymentIntent.list().data} & set(made)))
END
cat > wanted <<'END'
payments answered: 2
payments listed: 2
END
venv/bin/python pay.py "$port" > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: one key, two payments"
